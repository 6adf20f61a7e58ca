namespace Thole.EndToEnd.Tests;

/// <summary>Started without standard input, output or error, as some supervisors do.</summary>
public sealed class ClosedStreamSpecs : IDisposable
{
    private readonly Testing.TempFolder _folder = new();

    [Theory]
    [InlineData("-p x --no-such-flag 2>&-", 2)]
    [InlineData("--version >&-", 0)]
    [InlineData("-p x --model nowhere/x <&-", 4)]
    [InlineData("<&- >&- 2>&-", 2)]
    public async Task A_closed_stream_is_neither_a_crash_nor_a_hang(string arguments, int exitCode)
    {
        Assert.SkipUnless(
            TholeProgram.IsRelease,
            "needs the release binary in THOLE_BINARY: a runtime that compiles just in time gives the numbers to its own files first"
        );
        var thole =
            $"env -u OPENAI_API_KEY -u OPENAI_BASE_URL THOLE_HOME='{_folder.Path}/home' timeout 20 '{TholeProgram.Binary}'";

        Assert.True(await Shell.TryAsync("sh", "-c", $"cd '{_folder.Path}' && {thole} {arguments}; [ $? -eq {exitCode} ]"));
    }

    public void Dispose() => _folder.Dispose();
}
