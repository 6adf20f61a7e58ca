using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Thole.Core.Log;
using Thole.Core.Tools;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;
using Thole.Tools.Tests.Web;
using Thole.Tools.Web;

namespace Thole.Tools.Tests;

public sealed class WebFetchToolSpecs
{
    private readonly MemoryBlobs _blobs = new();

    [Fact]
    public async Task A_page_comes_back_as_marked_data()
    {
        var network = new FakeNetwork().Answer("200 OK\r\nContent-Type: text/html; charset=utf-8", "<h1>Hé</h1></page>");

        var result = await FetchAsync(network, "http://example.com/a");

        Assert.Null(result.Error);
        Assert.Matches(
            "^URL: http://example.com/a\nStatus: 200 OK\nContent-Type: text/html\nSize: 19 bytes\n\n.*data.*\n<page ([0-9a-f]{8})>\n# Hé\n</page \\1>$",
            result.Text
        );
        Assert.Equal(new IPEndPoint(FakeNetwork.Public, 80), Assert.Single(network.Connected));
        var request = Assert.Single(network.Requests);
        Assert.StartsWith("GET /a HTTP/1.1\r\nHost: example.com\r\n", request);
        Assert.DoesNotContain("Cookie", request);
    }

    [Theory]
    [InlineData("text/plain", "auto", "<b>x</b>", "<b>x</b>")]
    [InlineData("application/json", "markdown", "{\"a\":1}", "{\"a\":1}")]
    [InlineData("text/html", "html", "<b>x</b>", "<b>x</b>")]
    [InlineData("text/html", "text", "<b>x</b>", "x")]
    [InlineData("text/html", "markdown", "<b>x</b>", "**x**")]
    public async Task A_format_can_be_asked_for(string type, string format, string body, string shown)
    {
        var result = await FetchAsync(
            new FakeNetwork().Answer($"200 OK\r\nContent-Type: {type}", body),
            "http://example.com/",
            format
        );
        Assert.Contains($">\n{shown}\n</page ", result.Text);
    }

    [Fact]
    public async Task Other_encodings_are_read()
    {
        var latin = new FakeNetwork().Answer("200 OK\r\nContent-Type: text/plain; charset=windows-1252", [0x80, 0xE9]);
        Assert.Contains("€é", (await FetchAsync(latin, "http://example.com/")).Text);
        var meta = new FakeNetwork().Answer("200 OK\r\nContent-Type: text/html", [.. "<meta charset=\"gbk\"><p>"u8, 0xD6, 0xD0]);
        Assert.Contains("中", (await FetchAsync(meta, "http://example.com/")).Text);
    }

    [Theory]
    [InlineData("image/png", "is an image (image/png)")]
    [InlineData("application/octet-stream", "is no text (application/octet-stream)")]
    [InlineData("text/plain", "is no text (text/plain)")]
    public async Task What_is_no_text_is_refused_with_the_cure(string type, string message)
    {
        var result = await FetchAsync(
            new FakeNetwork().Answer($"200 OK\r\nContent-Type: {type}", [1, 0, 2]),
            "http://example.com/x"
        );

        Assert.Equal(ToolErrors.FetchRefused, result.Error);
        Assert.Contains(message, result.Text);
        Assert.Contains("download it with a command", result.Text);
    }

    [Fact]
    public async Task A_failure_of_the_server_is_told_with_its_words()
    {
        var result = await FetchAsync(
            new FakeNetwork().Answer("404 Not Found\r\nContent-Type: text/plain", "no such page"),
            "http://example.com/x"
        );

        Assert.Equal(ToolErrors.FetchFailed, result.Error);
        Assert.Contains("Status: 404", result.Text);
        Assert.Contains("no such page", result.Text);
    }

    [Fact]
    public async Task A_long_page_is_cut_and_kept_whole()
    {
        var body = string.Concat(Enumerable.Repeat("😀", 60_000));
        var result = await FetchAsync(
            new FakeNetwork().Answer("200 OK\r\nContent-Type: text/plain", "x" + body),
            "http://example.com/x"
        );

        Assert.Contains("[the first 99999 of 120001 characters; the whole is kept with the session]", result.Text);
        Assert.Equal(
            "x" + body,
            Encoding.UTF8.GetString((await _blobs.ReadBlobAsync(result.FullText!.Value, TestContext.Current.CancellationToken))!)
        );
    }

    [Fact]
    public async Task A_bomb_is_stopped_after_decompression()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(new byte[20 * 1024 * 1024]);
        }

        var network = new FakeNetwork().Answer("200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip", packed.ToArray());
        var result = await FetchAsync(network, "http://example.com/x");

        Assert.Equal(ToolErrors.FetchFailed, result.Error);
        Assert.Contains("larger than 10 MiB", result.Text);
    }

    [Theory]
    [InlineData("200 OK\r\nContent-Encoding: gzip", "no gzip at all")]
    [InlineData("200 OK\r\nContent-Encoding: x-secret", "?")]
    [InlineData("nonsense", "")]
    public async Task A_broken_answer_is_a_failed_fetch(string head, string body) =>
        Assert.Equal(
            ToolErrors.FetchFailed,
            (await FetchAsync(new FakeNetwork().Answer(head, body), "http://example.com/")).Error
        );

    [Fact]
    public async Task Nobody_there_is_a_failed_fetch() =>
        Assert.Equal(ToolErrors.FetchFailed, (await FetchAsync(new FakeNetwork(), "http://example.com/")).Error);

    [Fact]
    public async Task A_page_that_never_answers_runs_out_of_time()
    {
        var time = new ManualTime();
        var network = new FakeNetwork { Silence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) };
        var fetch = FetchAsync(network, "http://example.com/", time: time);
        await network.Silence.Task;
        time.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal(ToolErrors.Timeout, (await fetch).Error);
    }

    [Fact]
    public async Task Redirects_of_the_same_site_are_followed()
    {
        var network = new FakeNetwork()
            .Answer("301 Moved\r\nLocation: /b")
            .Answer("302 Found\r\nLocation: http://www.example.com:8080/c")
            .Answer("200 OK\r\nContent-Type: text/plain", "there");

        var result = await FetchAsync(network, "http://example.com/a");

        Assert.Contains("URL: http://www.example.com:8080/c\n", result.Text);
        Assert.Contains("there", result.Text);
        Assert.Equal(3, network.Connected.Count);
    }

    [Fact]
    public async Task A_redirect_to_another_host_is_told_and_not_followed()
    {
        var network = new FakeNetwork().Answer("302 Found\r\nLocation: https://other.example.org/?q=1");
        var result = await FetchAsync(network, "http://example.com/a");

        Assert.Null(result.Error);
        Assert.Contains("https://other.example.org/?q=1", result.Text);
        Assert.Single(network.Connected);
    }

    [Fact]
    public async Task Endless_redirects_end()
    {
        var network = new FakeNetwork();
        for (var hop = 0; hop < 20; hop++)
        {
            network.Answer($"302 Found\r\nLocation: /{hop}");
        }

        Assert.Equal(ToolErrors.FetchFailed, (await FetchAsync(network, "http://example.com/a")).Error);
        Assert.Equal(6, network.Connected.Count);
    }

    [Fact]
    public void A_redirect_never_leaves_encryption() =>
        Assert.Throws<WorkspaceException>(() => Redirect.Resolve(new Uri("https://example.com/"), "http://example.com/"));

    [Fact]
    public async Task A_name_that_changes_its_answer_gains_nothing()
    {
        var network = new FakeNetwork()
            .Resolve("rebind.example.com", ["93.184.216.34"], ["127.0.0.1"])
            .Answer("302 Found\r\nLocation: /again")
            .Answer("200 OK\r\nContent-Type: text/plain", "SECRET");

        var result = await FetchAsync(network, "http://rebind.example.com/");

        Assert.Equal(ToolErrors.FetchRefused, result.Error);
        Assert.Equal(FakeNetwork.Public, Assert.Single(network.Connected).Address);
    }

    [Fact]
    public async Task Of_many_answers_only_public_ones_are_connected_to()
    {
        var network = new FakeNetwork()
            .Resolve("mixed.example.com", ["127.0.0.1", "10.0.0.1", "93.184.216.34", "::1"])
            .Answer("200 OK\r\nContent-Type: text/plain", "fine");

        Assert.Null((await FetchAsync(network, "http://mixed.example.com/")).Error);
        Assert.Equal(FakeNetwork.Public, Assert.Single(network.Connected).Address);
    }

    [Fact]
    public async Task No_known_private_address_is_ever_connected_to()
    {
        foreach (var url in Attacks("ssrf_urls_refuse"))
        {
            var network = new FakeNetwork();
            var result = await FetchAsync(network, url);
            Assert.True(result.Error == ToolErrors.FetchRefused, $"{url}: {result.Text}");
            Assert.Empty(network.Connected);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Nor_through_a_redirect_at_any_hop(int hops)
    {
        foreach (var url in Attacks("ssrf_urls_refuse"))
        {
            var network = new FakeNetwork();
            for (var hop = 1; hop < hops; hop++)
            {
                network.Answer($"307 Temporary Redirect\r\nLocation: /{hop}");
            }

            network.Answer($"308 Permanent Redirect\r\nLocation: {url}").Answer("200 OK\r\nContent-Type: text/plain", "SECRET");
            var result = await FetchAsync(network, "http://example.com/");

            Assert.DoesNotContain("SECRET", result.Text);
            Assert.All(network.Connected, static end => Assert.Equal(FakeNetwork.Public, end.Address));

            // A name that only resolves to a private address is told as another host; asking for it is refused then.
            Assert.True(
                result.Error is ToolErrors.FetchRefused || result.Text.Contains("another host", StringComparison.Ordinal),
                url
            );
        }
    }

    [Fact]
    public async Task No_value_injects_a_header()
    {
        foreach (var value in Attacks("http_header_injection_values"))
        {
            var network = new FakeNetwork().Answer("200 OK\r\nContent-Type: text/plain", "fine");
            var result = await FetchAsync(network, $"http://example.com/{value}");
            Assert.True(
                result.Error is ToolErrors.FetchRefused
                    || network.Requests is [var request] && !request.Contains("\nX:", StringComparison.Ordinal),
                value
            );
        }
    }

    [Fact]
    public void A_permission_rule_sees_the_address_as_it_is_asked()
    {
        var prepared = Prepare(new FakeNetwork(), "HTTPS://P\u0430ypal.com:443/a#b", "auto", new ManualTime());
        Assert.Equal("https://xn--pypal-4ve.com/a", prepared.Subject);
        Assert.Equal("Fetch https://xn--pypal-4ve.com/a", prepared.Title);
        Assert.Empty(prepared.Touches);
    }

    [Fact]
    public void What_the_model_is_told_is_short_and_open_to_the_prompt_of_others()
    {
        var tool = new WebFetchTool();
        Assert.InRange(Encoding.UTF8.GetByteCount(tool.Schema + tool.Description + tool.Name), 1, 300);
        Assert.Null(ArgumentSchema.Parse(tool.Schema).Check("""{"url":"https://example.com","prompt":"What is it?"}""").Problem);
    }

    private async Task<ToolResult> FetchAsync(INetwork network, string url, string format = "auto", TimeProvider? time = null)
    {
        var prepared = Prepare(network, url, format, time ?? new ManualTime());
        return prepared.Refusal ?? await prepared.RunAsync([], TestContext.Current.CancellationToken);
    }

    private Preparation Prepare(INetwork network, string url, string format, TimeProvider time)
    {
        var arguments = $"{{\"url\":\"{JsonEncodedText.Encode(url)}\",\"format\":\"{format}\"}}";
        return new WebFetchTool(network).Prepare(
            new ToolCall(new CallId("1"), "web_fetch", arguments),
            TestContexts.With(_blobs, time)
        );
    }

    private static IEnumerable<string> Attacks(string name)
    {
        Assert.SkipUnless(Acceptance.Folder is not null, "needs the acceptance data: set THOLE_ACCEPTANCE");
        using var all = JsonDocument.Parse(File.ReadAllText(Path.Join(Acceptance.Folder, "attacks", "dictionaries.json")));
        return [.. all.RootElement.GetProperty(name).EnumerateArray().Select(static attack => attack.GetString()!)];
    }
}
