namespace Thole.Server.Tests;

/// <summary>One shape for every error, and nothing of this machine in it.</summary>
public sealed class FailureSpecs
{
    [Fact]
    public async Task A_refusal_keeps_its_reason_and_loses_its_paths()
    {
        await using var daemon = await TestDaemon.StartAsync();

        var inUse = await daemon.SendAsync("GET", "/refused");
        var absent = await daemon.SendAsync("GET", "/absent");

        Assert.Equal(
            (409, """{"error":"The session is open in 'work' by another process.","code":"session_in_use"}"""),
            (inUse.Status, inUse.Body.Replace("\\u0027", "'"))
        );
        Assert.Equal((404, """{"error":"There is no log x.db.","code":"session_not_found"}"""), (absent.Status, absent.Body));
    }

    [Fact]
    public async Task A_defect_is_logged_and_says_nothing_to_the_client()
    {
        await using var daemon = await TestDaemon.StartAsync();

        var answer = await daemon.SendAsync("GET", "/defect");

        Assert.Equal((500, "internal_error"), (answer.Status, answer.Code));
        Assert.DoesNotContain("secret", answer.Body);
        Assert.DoesNotContain("/root", answer.Body);
        Assert.Contains("A secret of /root/house.", Assert.Single(daemon.Log));
    }

    [Fact]
    public async Task Every_answer_forbids_to_be_kept_or_taken_for_something_else()
    {
        await using var daemon = await TestDaemon.StartAsync();
        foreach (var target in new[] { "/health", "/session/a", "/nothing", "/defect", "/refused" })
        {
            var answer = await daemon.SendAsync("GET", target);
            Assert.Equal(("nosniff", "no-store"), (answer.Header("X-Content-Type-Options"), answer.Header("Cache-Control")));
            Assert.Null(answer.Header("Server"));
        }
    }

    [Theory]
    [InlineData("It is in /home/jo/work.", "It is in work.")]
    [InlineData("It is in '/srv/two words/x y'.", "It is in 'x y'.")]
    [InlineData("/a/b/c: no such file", "c: no such file")]
    [InlineData(@"Not in C:\Users\jo\x.txt, but there", "Not in x.txt, but there")]
    [InlineData(@"On \\server\share\x", "On x")]
    [InlineData("Private roots go first: /home/jo doe/secret place/src/a.cs", "Private roots go first: secret place/src/a.cs")]
    [InlineData("relative/path and/or https://example.com/a/b stay", "relative/path and/or https://example.com/a/b stay")]
    [InlineData("a / b", "a / b")]
    [InlineData("", "")]
    public void Absolute_paths_are_taken_out_of_sentences(string told, string shown) =>
        Assert.Equal(shown, new Requests.PathScrubber(["/home/jo doe/secret place", "/"]).Scrub(told));
}
