using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Thole.EndToEnd.Tests;

/// <summary>One scenario of <c>test/interop</c> at work: it tells what it found in JSON lines, and asks for what it cannot do itself.</summary>
internal sealed class InteropRun : IAsyncDisposable
{
    // Above the sum of what a scenario may wait for by itself: it ends what hangs.
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(180);

    private readonly Process _process;
    private readonly string _arguments;
    private readonly Task<string> _error;
    private readonly List<string> _wrong = [];
    private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );

    public InteropRun(Process process, string arguments)
    {
        (_process, _arguments) = (process, arguments);
        _error = process.StandardError.ReadToEndAsync();
        _limit.CancelAfter(s_longest);
    }

    /// <summary>Each line as it comes, until the program ends.</summary>
    public async IAsyncEnumerable<JsonElement> LinesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token, cancellationToken);
        while (await _process.StandardOutput.ReadLineAsync(ends.Token) is { } text)
        {
            var line = JsonElement.Parse(text);
            if (line.TryGetProperty("ok", out var ok) && !ok.GetBoolean())
            {
                _wrong.Add(text);
            }

            yield return line;
        }
    }

    public Task<string> TextAsync() => _process.StandardOutput.ReadToEndAsync(_limit.Token);

    public async Task AnswerAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    public async Task MustSucceedAsync(RunningThole daemon)
    {
        await _process.WaitForExitAsync(_limit.Token);
        Assert.True(
            _process.ExitCode == 0 && _wrong is [],
            $"{_arguments} ended with {_process.ExitCode}.\n{string.Join('\n', _wrong)}\n--- its standard error\n{await _error}\n--- the daemon's\n{daemon.Error}"
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _limit.Dispose();
    }
}
