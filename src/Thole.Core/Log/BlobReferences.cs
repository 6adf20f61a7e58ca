using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Which blobs an event names.</summary>
internal static class BlobReferences
{
    public static IEnumerable<BlobId> Of(SessionEvent happened) =>
        happened switch
        {
            PromptQueued queued => Images(queued.Content),
            TurnStarted started => Images(started.Content),
            AttemptFailed { Raw: { } raw } => [raw],
            CallCompleted completed =>
            [
                .. Images(completed.Result.Images),
                .. Images(completed.Result.Display),
                .. completed.Result.FullText is { } whole ? (BlobId[])[whole] : [],
            ],
            _ => [],
        };

    private static IEnumerable<BlobId> Images(IEnumerable<Content> content) =>
        content.OfType<ImageContent>().Select(image => image.Blob);
}
