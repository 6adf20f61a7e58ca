using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Thole.Core.Context;
using Thole.Core.Log;
using Thole.Core.Models;
using Thole.Core.Sessions;
using Thole.Protocol;

namespace Thole.Core.Tests.Protocol;

/// <summary>What may be absent is left out when it is written: it must be absent, and not an error, when it is read.</summary>
public sealed class RoundTripSpecs
{
    private static readonly NullabilityInfoContext s_nullability = new();

    public static TheoryData<Type> Events => [.. Derived(ProtocolJson.Default.SessionEvent)];

    public static TheoryData<Type> Commands => [.. Derived(ProtocolJson.Default.Command)];

    public static TheoryData<Type> Items =>
        [.. typeof(ContextItem).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(item => item.DerivedType)];

    [Theory]
    [MemberData(nameof(Events))]
    public void Every_event_is_read_as_it_was_written(Type type)
    {
        foreach (var isFull in (bool[])[false, true])
        {
            var codec = new EventCodec(EventUpgrades.All);
            var written = new Envelope(7, DateTimeOffset.UnixEpoch, Actor.Tool, (SessionEvent)Make(type, isFull)!);
            var read = codec.Decode(codec.Encode(written, EventRow.Root));
            Assert.Equal(type, read.Event.GetType());
            Assert.Equal(Text(written), Text(read));
            Assert.Equal(Text(written), Text(JsonSerializer.Deserialize(Text(written), ProtocolJson.Default.Envelope)!));
        }

        static string Text(Envelope envelope) => JsonSerializer.Serialize(envelope, ProtocolJson.Default.Envelope);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_is_read_as_it_was_written(Type type)
    {
        foreach (var isFull in (bool[])[false, true])
        {
            var text = JsonSerializer.Serialize((Command)Make(type, isFull)!, ProtocolJson.Default.Command);
            var read = JsonSerializer.Deserialize(text, ProtocolJson.Default.Command)!;
            Assert.Equal(text, JsonSerializer.Serialize(read, ProtocolJson.Default.Command));
        }
    }

    [Theory]
    [MemberData(nameof(Items))]
    public void Every_item_of_a_context_comes_through_a_snapshot(Type type)
    {
        foreach (var isFull in (bool[])[false, true])
        {
            var item = (ContextItem)Make(type, isFull)!;
            var state = SessionState.Empty with
            {
                Workspace = "/work",
                ApprovalMode = ApprovalMode.AutoEdit,
                Running = isFull ? (RunningTurn)Make(typeof(RunningTurn), isFull)! : null,
                LastTurn = isFull ? (TurnEnded)Make(typeof(TurnEnded), isFull)! : null,
                Waiting = [(WaitingPrompt)Make(typeof(WaitingPrompt), isFull)!],
                Prompts = ImmutableDictionary<PromptId, AcceptedPrompt>.Empty.Add(
                    new PromptId("p2"),
                    new AcceptedPrompt(7, "digest")
                ),
                OpenCalls = ImmutableDictionary<CallId, OpenCall>.Empty.Add(
                    new CallId("call_1"),
                    new OpenCall((ToolCall)Make(typeof(ToolCall), isFull)!, ToolKind.Edit, "Edit a", Started: true)
                    {
                        Question = new AskedQuestion(
                            5,
                            DateTimeOffset.UnixEpoch,
                            (PermissionRequested)Make(typeof(PermissionRequested), isFull)!
                        ),
                        Votes = ImmutableDictionary<string, CountedVote>.Empty.Add("anna", new CountedVote(true, 6)),
                        Answer = (PermissionAnswered)Make(typeof(PermissionAnswered), isFull)!,
                    }
                ),
                Calls = 3,
                Context = ContextState.Empty with
                {
                    Items = [item],
                    Sources = ["environment"],
                    Todos = [new Todo("1", "do", TodoStatus.InProgress)],
                    Files = ImmutableDictionary<string, FileSeen>.Empty.Add("/a", (FileSeen)Make(typeof(FileSeen), isFull)!),
                    Text = ["a"],
                    Reasoning = ["b"],
                    HasStepped = true,
                    Tokens = 5,
                },
            };
            var text = JsonSerializer.Serialize(state, CoreJson.Default.SessionState);

            var read = JsonSerializer.Deserialize(text, CoreJson.Default.SessionState)!;

            Assert.Equal(type, Assert.Single(read.Context.Items).GetType());
            Assert.Equal(text, JsonSerializer.Serialize(read, CoreJson.Default.SessionState));
            Assert.True(read.OpenCalls[new CallId("call_1")].Started);
            Assert.Equal(7, read.Prompts[new PromptId("p2")].Sequence);
        }
    }

    private static IEnumerable<Type> Derived(JsonTypeInfo json) =>
        json.PolymorphismOptions!.DerivedTypes.Select(derived => derived.DerivedType);

    /// <summary>A value of that type: with everything that may be absent, or with nothing of it.</summary>
    private static object? Make(Type type, bool isFull)
    {
        if (type == typeof(string))
        {
            return "text";
        }

        if (type.IsEnum)
        {
            return Enum.GetValues(type).GetValue(isFull ? Enum.GetValues(type).Length - 1 : 0);
        }

        if (type == typeof(JsonElement))
        {
            return JsonDocument.Parse("""{"signature":[1,null]}""").RootElement.Clone();
        }

        if (type == typeof(TimeSpan))
        {
            return TimeSpan.FromSeconds(1.5);
        }

        if (type == typeof(Content))
        {
            return new TerminalContent("make", "ok", isFull ? 0 : null);
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            var element = type.GetGenericArguments()[0];
            var list = Array.CreateInstance(element, isFull ? 2 : 0);
            for (var index = 0; index < list.Length; index++)
            {
                list.SetValue(Make(element, isFull), index);
            }

            return list;
        }

        if (type.IsPrimitive)
        {
            return type == typeof(bool) ? isFull : Convert.ChangeType(isFull ? 42 : 0, type);
        }

        if (type == typeof(DateTimeOffset))
        {
            return DateTimeOffset.UnixEpoch.AddDays(isFull ? 1 : 0);
        }

        var constructor = type.GetConstructors().OrderBy(one => one.GetParameters().Length).Last();
        var made = constructor.Invoke([.. constructor.GetParameters().Select(parameter => Value(parameter, isFull))]);
        foreach (var property in type.GetProperties().Where(property => property.CanWrite && constructor.GetParameters() is []))
        {
            if (property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            {
                property.SetValue(
                    made,
                    IsAbsent(s_nullability.Create(property), isFull) ? null : Make(Bare(property.PropertyType), isFull)
                );
            }
        }

        return made;
    }

    private static object? Value(ParameterInfo parameter, bool isFull) =>
        IsAbsent(s_nullability.Create(parameter), isFull) ? null : Make(Bare(parameter.ParameterType), isFull);

    private static bool IsAbsent(NullabilityInfo nullability, bool isFull) =>
        !isFull && nullability.ReadState is NullabilityState.Nullable;

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;
}
