using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Which blobs an event names.</summary>
internal static class BlobReferences
{
    public static IEnumerable<BlobId> Of(SessionEvent happened) =>
        happened switch
        {
            PromptQueued queued => Media(queued.Content),
            TurnStarted started => Media(started.Content),
            SteeringReceived received => Media(received.Content),
            SteeringTaken taken => taken.Messages.SelectMany(message => Media(message.Content)),
            AttemptFailed { Raw: { } raw } => [raw],
            CallCompleted completed =>
            [
                .. Media(completed.Result.Images),
                .. Media(completed.Result.Display),
                .. completed.Result.FullText is { } whole ? (BlobId[])[whole] : [],
            ],
            _ => [],
        };

    private static IEnumerable<BlobId> Media(IEnumerable<Content> content) =>
        content.OfType<MediaContent>().Select(media => media.Blob);
}
