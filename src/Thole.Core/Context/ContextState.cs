using System.Collections.Immutable;
using System.Text;
using Thole.Core.Models;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Context;

/// <summary>
/// What the model is shown, and what it is known to know: a fold of the session's events and nothing else. Items are only ever
/// added at the end, so that prompt caches hold; the one exception is a compaction, which is an event.
/// </summary>
public sealed record ContextState
{
    private const int MaxTouched = 5_000;

    public static ContextState Empty { get; } = new();

    /// <summary><c>provider/model</c> of the next step.</summary>
    public string Model { get; init; } = "";

    /// <summary><c>provider/model</c> of who speaks in the step that runs, or spoke in the last one.</summary>
    public string Speaker { get; init; } = "";

    /// <summary>All that the session has touched, as <see cref="CallRequested.Touches"/> says it; what was compacted away is still known.</summary>
    public ImmutableHashSet<string> Touched { get; init; } = [];

    /// <summary>By blob, what a model said that an image or a file shows.</summary>
    public ImmutableDictionary<string, string> Descriptions { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Blobs that a model was not shown, and that nobody described: that was said once.</summary>
    public ImmutableHashSet<string> LeftOut { get; init; } = [];

    /// <summary>The system prompt: what was added before the first step. Never changed after it.</summary>
    public string System { get; init; } = "";

    public ImmutableList<ContextItem> Items { get; init; } = [];

    /// <summary>The sources of everything that was added, so that nothing is added twice.</summary>
    public ImmutableHashSet<string> Sources { get; init; } = [];

    public ImmutableList<Todo> Todos { get; init; } = [];

    /// <summary>By full path, the state of each file that the session knows.</summary>
    public ImmutableDictionary<string, FileSeen> Files { get; init; } = ImmutableDictionary<string, FileSeen>.Empty;

    /// <summary>Pieces of the message that is being said.</summary>
    public ImmutableList<string> Text { get; init; } = [];

    public ImmutableList<string> Reasoning { get; init; } = [];

    /// <summary>The first step has begun: from now on what is added comes after what was shown.</summary>
    public bool HasStepped { get; init; }

    /// <summary>Tokens of everything up to <see cref="CountedThrough"/>, as the provider counted them; 0 where it never did.</summary>
    public long Tokens { get; init; }

    public long CountedThrough { get; init; }

    /// <summary>Compactions that failed since one succeeded.</summary>
    public int FailedCompactions { get; init; }

    public ContextState Apply(Envelope envelope) =>
        envelope.Event switch
        {
            SessionOpened opened => this with { Model = opened.Model },
            ModelSelected selected => this with { Model = selected.Model },
            TurnStarted started => this with { Items = Items.Add(new UserItem(envelope.Sequence, started.Content)) },
            SteeringTaken taken => this with
            {
                Items = Items.AddRange(taken.Messages.Select(message => new UserItem(envelope.Sequence, message.Content))),
            },
            ContextAdded added => Add(envelope.Sequence, added),
            StepStarted step => this with { HasStepped = true, Speaker = step.Model, Text = [], Reasoning = [] },
            TextPiece piece => this with { Text = Text.Add(piece.Text) },
            ReasoningPiece piece => this with { Reasoning = Reasoning.Add(piece.Text) },
            AttemptFailed failed => this with { Speaker = failed.Next ?? Speaker, Text = [], Reasoning = [] },
            MessageCompleted message => Complete(envelope.Sequence, message),
            CallRequested requested => Request(requested.Call) with { Touched = Touch(requested) },
            CallCompleted completed => Answer(envelope.Sequence, completed),
            FileSeen seen => this with
            {
                Files = Files.SetItem(seen.Path, FileLedger.Merge(Files.GetValueOrDefault(seen.Path), seen)),
            },
            TodosChanged changed => this with { Todos = [.. changed.Todos] },
            ContextCompacted compacted => Compact(compacted),
            MediaDescribed described => this with { Descriptions = Descriptions.SetItem(described.Blob.Value, described.Text) },
            MediaLeftOut left => this with { LeftOut = LeftOut.Add(left.Blob.Value) },
            CompactionFailed => this with { FailedCompactions = FailedCompactions + 1 },
            TurnEnded => KeepWhatWasSaid(envelope.Sequence),
            _ => this,
        };

    private ContextState Add(long sequence, ContextAdded added)
    {
        var known = this with { Sources = Sources.Add(added.Source), Touched = Touched.Union(added.Touches ?? []) };
        return HasStepped
            ? known with
            {
                Items = Items.Add(new NoteItem(sequence, added.Source, added.Text)),
            }
            : known with
            {
                System = System.Length == 0 ? Headed(added) : $"{System}\n\n{Headed(added)}",
            };
    }

    /// <summary>Ours needs no heading; an instruction file's text is told apart from ours, and from the next one's.</summary>
    private static string Headed(ContextAdded added) =>
        ContextOrigin.IsInstructionFile(added.Source) ? $"Instructions from {added.Source}:\n\n{added.Text}" : added.Text;

    private ContextState Complete(long sequence, MessageCompleted message)
    {
        var said = this with
        {
            Items = Items.Add(
                new AssistantItem(sequence, string.Concat(Text), string.Concat(Reasoning), [], Speaker, message.ProviderData)
            ),
            Text = [],
            Reasoning = [],
        };
        return message.Usage is { InputTokens: { } input } usage
            ? said with
            {
                Tokens = input + (usage.OutputTokens ?? 0),
                CountedThrough = sequence,
            }
            : said;
    }

    private ContextState Request(ToolCall call)
    {
        if (Items.FindLastIndex(item => item is AssistantItem) is not (>= 0 and var index))
        {
            return this; // a call without a message: a log that was salvaged
        }

        var message = (AssistantItem)Items[index];
        return this with { Items = Items.SetItem(index, message with { Calls = [.. message.Calls, call] }) };
    }

    /// <summary>A session that touched very much has touched anything: what it knows of single paths then costs more than it tells.</summary>
    private ImmutableHashSet<string> Touch(CallRequested requested) =>
        Touched.Count >= MaxTouched ? Touched.Add("**")
        : requested.Touches is { } touches ? Touched.Union(touches)
        // A log of before touches were written does not tell.
        : requested.Kind is ToolKind.Think ? Touched
        : Touched.Add("**");

    /// <summary>Calls that run together end in any order; the model is shown their results in the order in which it asked.</summary>
    private ContextState Answer(long sequence, CallCompleted completed)
    {
        var at = Items.FindLastIndex(item =>
            item is AssistantItem message && message.Calls.Any(call => call.Id == completed.Call)
        );
        if (at < 0)
        {
            return this; // compacted away, or a log that was salvaged
        }

        var calls = ((AssistantItem)Items[at]).Calls;
        var (index, asked) = calls.Index().First(call => call.Item.Id == completed.Call);
        var place = at + 1;
        while (
            place < Items.Count
            && Items[place] is ResultItem earlier
            && calls.Index().FirstOrDefault(call => call.Item.Id == earlier.Call).Index < index
        )
        {
            place++;
        }

        return this with
        {
            Items = Items.Insert(
                place,
                new ResultItem(sequence, asked.Id, asked.ProviderId, asked.Tool, completed.Outcome, completed.Result)
            ),
        };
    }

    /// <summary>
    /// Instructions outlive a compaction: they are rules, not talk. The summary stands for what was before <see cref="ContextCompacted.KeepFrom"/>
    /// and takes the number before it, so that numbers still rise from item to item and the next compaction can cut by them.
    /// </summary>
    private ContextState Compact(ContextCompacted compacted)
    {
        var instructions = Items.Where(item =>
            item.Sequence < compacted.KeepFrom && item is NoteItem note && ContextOrigin.IsInstructionFile(note.Source)
        );
        return this with
        {
            Items =
            [
                .. instructions,
                new NoteItem(compacted.KeepFrom - 1, ContextOrigin.Summary, compacted.Summary),
                .. Items.Where(item => item.Sequence >= compacted.KeepFrom),
            ],
            Tokens = 0,
            CountedThrough = 0,
            FailedCompactions = 0,
        };
    }

    /// <summary>A message that was interrupted was still said: the model knows how far it came.</summary>
    private ContextState KeepWhatWasSaid(long sequence) =>
        Text is []
            ? this with
            {
                Reasoning = [],
            }
            : this with
            {
                Items = Items.Add(new AssistantItem(sequence, string.Concat(Text), "", [], Speaker, null)),
                Text = [],
                Reasoning = [],
            };
}
