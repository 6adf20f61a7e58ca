using Thole.Protocol;

namespace Thole.Core.Models;

/// <summary>
/// Shows a model only what it takes: an image that it cannot see becomes words, those that another model found for it or those that
/// say that it is missing. What the model takes goes on untouched.
/// </summary>
public sealed class FittingModel(IModel model, Modalities takes) : IModel
{
    /// <inheritdoc/>
    public IAsyncEnumerable<ModelEvent> StreamAsync(ModelRequest request, CancellationToken cancellationToken) =>
        model.StreamAsync(Fit(request), cancellationToken);

    private ModelRequest Fit(ModelRequest request) =>
        request.Items.Any(item => MediaOf(item).Any(media => !IsTaken(media)))
            ? request with
            {
                Items = [.. request.Items.Select(item => Fit(item, request))],
            }
            : request;

    private ContextItem Fit(ContextItem item, ModelRequest request) =>
        item switch
        {
            UserItem user => user with
            {
                Content =
                [
                    .. user.Content.Select(piece =>
                        piece is MediaContent media && !IsTaken(media) ? new TextContent(InWords(media, request)) : piece
                    ),
                ],
            },
            ResultItem result => result with
            {
                Result = result.Result with
                {
                    Text = string.Join(
                        '\n',
                        result
                            .Result.Images.Where(image => !IsTaken(image))
                            .Select(image => InWords(image, request))
                            .Prepend(result.Result.Text)
                    ),
                    Images = [.. result.Result.Images.Where(IsTaken)],
                },
            },
            _ => item,
        };

    private static IEnumerable<MediaContent> MediaOf(ContextItem item) =>
        item switch
        {
            UserItem user => user.Content.OfType<MediaContent>(),
            ResultItem result => result.Result.Images,
            _ => [],
        };

    private bool IsTaken(MediaContent media) =>
        MediaTypes.ModalityOf(media.MediaType) is var modality and not Modalities.None && takes.HasFlag(modality);

    private static string InWords(MediaContent media, ModelRequest request)
    {
        var what = MediaTypes.WordsFor(media.MediaType);
        return request.Descriptions.TryGetValue(media.Blob.Value, out var description)
            ? $"[{what} ({media.MediaType}), as another model describes it: {description}]"
            : $"[{what} ({media.MediaType}) that you cannot be shown]";
    }
}
