using System.Text;
using Thole.Server.Tests.Hosting;

namespace Thole.Server.Tests.Sessions;

/// <summary>A whole session, written out for whoever may read it.</summary>
public sealed class ExportSpecs
{
    [Theory]
    [InlineData("", "md", "text/markdown; charset=utf-8")]
    [InlineData("?format=md", "md", "text/markdown; charset=utf-8")]
    [InlineData("?format=json", "json", "application/json; charset=utf-8")]
    [InlineData("?format=jsonl", "jsonl", "application/x-ndjson; charset=utf-8")]
    [InlineData("?format=html", "html", "text/html; charset=utf-8")]
    public async Task A_session_is_written_out_in_each_form_on_both_surfaces(string query, string extension, string type)
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying("all is well"));
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "how is it?")).Expect(202);
        await host.ToTurnEndAsync(session);

        var daemon = (await host.SendAsync("GET", $"/session/{session}/export{query}")).Expect(200);
        var native = (await host.SendAsync("GET", $"/v1/sessions/{session}/export{query}")).Expect(200);

        Assert.Equal(daemon.Body, native.Body);
        Assert.Contains("how is it?", Encoding.UTF8.GetString(daemon.Body));
        Assert.Contains("all is well", Encoding.UTF8.GetString(daemon.Body));
        Assert.Equal(type, daemon.Header("Content-Type"));
        Assert.Equal($"attachment; filename=\"{session}.{extension}\"", daemon.Header("Content-Disposition"));
    }

    [Fact]
    public async Task A_page_of_hostile_words_is_sent_as_text_and_with_a_policy_that_lets_it_do_nothing()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying("<img src=x onerror=alert(1)>"));
        var session = await host.OpenAsync();
        (await host.PromptAsync(session, "<script>alert(1)</script>")).Expect(202);
        await host.ToTurnEndAsync(session);

        var page = (await host.SendAsync("GET", $"/session/{session}/export?format=html")).Expect(200);

        var text = Encoding.UTF8.GetString(page.Body);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", text);
        Assert.Contains("&lt;img src=x onerror=alert(1)&gt;", text);
        Assert.DoesNotContain("<script", text);
        Assert.DoesNotContain("<img", text);
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", page.Header("Content-Security-Policy"));
        Assert.EndsWith("; frame-ancestors 'none'; sandbox", page.Header("Content-Security-Policy"));
        Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
    }

    [Fact]
    public async Task Another_form_is_refused_and_so_is_a_session_that_is_not_there()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();

        foreach (var surface in (string[])["session", "v1/sessions"])
        {
            (await host.SendAsync("GET", $"/{surface}/{session}/export?format=pdf")).Expect(400);
            (await host.SendAsync("GET", $"/{surface}/nothing/export?format=html")).Expect(404);
        }
    }

    [Fact]
    public async Task A_session_that_was_closed_can_still_be_written_out_on_the_native_surface()
    {
        await using var host = await TestHost.StartAsync(Scripts.Saying());
        var session = await host.OpenAsync();
        (await host.SendAsync("DELETE", $"/session/{session}")).Expect(204);

        (await host.SendAsync("GET", $"/v1/sessions/{session}/export?format=html")).Expect(200);
        (await host.SendAsync("GET", $"/session/{session}/export?format=html")).Expect(404);
    }
}
