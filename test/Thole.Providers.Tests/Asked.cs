using System.Text;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Providers.Tests;

/// <summary>All that came of one request.</summary>
internal sealed record Asked(IReadOnlyList<ModelEvent> Events, ModelException? Failure)
{
    public const string Key = "sk-very-secret-key-0123456789";

    public string Text => string.Concat(Events.OfType<TextDelta>().Select(said => said.Text));

    public string Reasoning => string.Concat(Events.OfType<ReasoningDelta>().Select(said => said.Text));

    public IReadOnlyList<CallProposed> Calls => [.. Events.OfType<CallProposed>()];

    public ModelFinished? Finished => Events.OfType<ModelFinished>().SingleOrDefault();

    public static ModelRequest Request(params IReadOnlyList<ContextItem> items) =>
        new()
        {
            Model = "scripted",
            System = "You are a test.",
            Items = items is [] ? [new UserItem(1, [new TextContent("Hello.")])] : items,
            Tools = [],
            ReadBlob = static (_, _) => new ValueTask<byte[]?>((byte[]?)null),
        };

    public static async Task<Asked> AskAsync(IModel model, ModelRequest? request = null)
    {
        List<ModelEvent> events = [];
        try
        {
            await foreach (var said in model.StreamAsync(request ?? Request(), TestContext.Current.CancellationToken))
            {
                events.Add(said);
            }
        }
        catch (ModelException failed)
        {
            // Whatever failed, however it is printed: never the key, and never both an end and a failure.
            Assert.DoesNotContain(events, said => said is ModelFinished);
            AssertHidesKey(failed.ToString());
            AssertHidesKey(Encoding.Latin1.GetString(failed.Raw.Span));
            Assert.DoesNotContain('\n', failed.Message);
            return new Asked(events, failed);
        }

        Assert.IsType<ModelFinished>(events[^1]);
        Assert.Single(events.OfType<ModelFinished>());
        return new Asked(events, null);
    }

    public static void AssertHidesKey(string text) => Assert.DoesNotContain(Key, text, StringComparison.Ordinal);
}
