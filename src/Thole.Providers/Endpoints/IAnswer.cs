using System.Text.Json;
using Thole.Core.Models;

namespace Thole.Providers.Endpoints;

/// <summary>
/// Understands one answer, event by event. Only what is said counts: fields may be missing, null, doubled, renamed, or of another
/// type than documented.
/// </summary>
internal interface IAnswer
{
    /// <summary>The part of an event that tells of an error; null where the event is none.</summary>
    /// <param name="name">The event's own name; empty where it has none, and for a document in place of a stream.</param>
    JsonElement? Complaint(string name, JsonElement data);

    /// <summary>
    /// Whether what comes within moments after the end mark is heard as well. Then a connection that breaks, or stays silent, there
    /// has ended.
    /// </summary>
    bool ReadsOn => false;

    /// <summary>Why the endpoint refuses to answer, in its own words; null where it does not say.</summary>
    string? Explanation => null;

    /// <summary>Takes one event of the stream.</summary>
    /// <returns>Whether the answer has come to its end mark: what follows is not read, unless it <see cref="ReadsOn"/>.</returns>
    bool Take(string name, JsonElement data, List<ModelEvent> said);

    /// <summary>Takes a whole answer that came as one document, from servers that do not stream.</summary>
    void TakeWhole(JsonElement document, List<ModelEvent> said);

    /// <summary>What evidence says of the end.</summary>
    /// <param name="hasEndMark">Whether the last event was the end mark, or the answer came as one document.</param>
    AnswerEnd Judge(bool hasEndMark);

    /// <summary>Says what is left to say, the calls and the end, of an answer that is whole.</summary>
    void Finish(List<ModelEvent> said);
}

/// <summary>How an answer stands when nothing more comes.</summary>
internal enum AnswerEnd
{
    Whole,

    /// <summary>There is no evidence that the model had said all, or the endpoint says that it was stopped.</summary>
    Cut,

    /// <summary>It claims to be whole and holds nothing, or announces calls that never came.</summary>
    Empty,

    /// <summary>The endpoint says that it failed, without saying how.</summary>
    Failed,

    /// <summary>The endpoint would not let the question through: nothing was said.</summary>
    Refused,
}
