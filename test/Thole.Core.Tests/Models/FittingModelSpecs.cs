using Thole.Core.Models;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.Core.Tests.Models;

public sealed class FittingModelSpecs
{
    private static readonly ImageContent s_image = new("image/png", new BlobId("picture"));
    private static readonly FileContent s_document = new("application/pdf", new BlobId("document"), "plan.pdf");
    private static readonly FileContent s_strange = new("application/x-strange", new BlobId("strange"));

    [Fact]
    public async Task What_the_model_takes_goes_on_untouched()
    {
        var request = Request(new UserItem(1, [new TextContent("See:"), s_image, s_document]));

        Assert.Same(request, await PassAsync(request, Modalities.Image | Modalities.Pdf));
    }

    [Fact]
    public async Task What_it_does_not_take_becomes_words_in_its_place()
    {
        var result = ToolResult.Ok("an image") with { Images = [s_image] };
        var call = new CallId("c1");
        var request = Request(
            new UserItem(1, [new TextContent("See:"), s_image, s_document, s_strange]),
            new ResultItem(3, call, null, "read_file", CallOutcome.Succeeded, result)
        ) with
        {
            Descriptions = new Dictionary<string, string>(StringComparer.Ordinal) { ["picture"] = "A red square." },
        };

        var passed = await PassAsync(request, Modalities.Pdf);

        Assert.Equal(
            [
                new TextContent("See:"),
                new TextContent("[an image (image/png), as another model describes it: A red square.]"),
                s_document,
                new TextContent("[a file (application/x-strange) that you cannot be shown]"),
            ],
            ((UserItem)passed.Items[0]).Content
        );
        var shown = ((ResultItem)passed.Items[1]).Result;
        Assert.Equal("an image\n[an image (image/png), as another model describes it: A red square.]", shown.Text);
        Assert.Empty(shown.Images);
    }

    private static ModelRequest Request(params ContextItem[] items) =>
        new()
        {
            Model = "model",
            System = "",
            Items = items,
            Tools = [],
            ReadBlob = static (_, _) => new ValueTask<byte[]?>((byte[]?)null),
        };

    private static async Task<ModelRequest> PassAsync(ModelRequest request, Modalities takes)
    {
        var model = new ScriptedModel().Step(step => step.Text("Yes."));
        await foreach (var _ in new FittingModel(model, takes).StreamAsync(request, TestContext.Current.CancellationToken)) { }

        return model.Requests[0];
    }
}
