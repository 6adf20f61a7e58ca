using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Thole.EndToEnd.Tests;

/// <summary>One run of the program. What it prints can be waited for; it ends with the test at the latest.</summary>
internal sealed class RunningThole : IAsyncDisposable
{
    // Far above what any run takes on a machine that does other things: it only ends what hangs.
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _arguments;
    private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );

    public RunningThole(Process process, string arguments)
    {
        (_process, _arguments) = (process, arguments);
        _limit.CancelAfter(s_longest);
        Output = new Tape(process.StandardOutput);
        Error = new Tape(process.StandardError);
    }

    public int Id => _process.Id;

    public Tape Output { get; }

    public Tape Error { get; }

    public async Task WriteAsync(string text)
    {
        try
        {
            await _process.StandardInput.WriteAsync(text);
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            // It ended before it read: what it said about that is what the test looks at.
        }
    }

    public Task WriteLineAsync(string line) => WriteAsync(line + "\n");

    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // As above.
        }
    }

    /// <summary>Completes when that was printed on standard output.</summary>
    public Task SaysAsync(string text) => GuardAsync(Output.ContainsAsync(text, _limit.Token));

    /// <summary>Completes when that was printed on standard error.</summary>
    public Task ComplainsAsync(string text) => GuardAsync(Error.ContainsAsync(text, _limit.Token));

    /// <param name="name">INT, TERM or KILL.</param>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async Task<Outcome> EndAsync()
    {
        await GuardAsync(_process.WaitForExitAsync(_limit.Token));
        await GuardAsync(Task.WhenAll(Output.End, Error.End).WaitAsync(_limit.Token));
        return new Outcome(_arguments, _process.ExitCode, Output.ToString(), Error.ToString());
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

    private async Task GuardAsync(Task waiting)
    {
        try
        {
            await waiting;
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail(
                $"thole {_arguments} did not come to what was waited for.\n--- standard output\n{Output}\n--- standard error\n{Error}"
            );
        }
    }

    /// <summary>What came over a pipe so far.</summary>
    internal sealed class Tape
    {
        private readonly Lock _lock = new();
        private readonly StringBuilder _text = new();
        private readonly List<(string Text, TaskCompletionSource Found)> _waiting = [];

        public Tape(StreamReader pipe) => End = PumpAsync(pipe);

        public Task End { get; }

        public Task ContainsAsync(string text, CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                if (_text.ToString().Contains(text, StringComparison.Ordinal))
                {
                    return Task.CompletedTask;
                }

                var found = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((text, found));
                return found.Task.WaitAsync(cancellationToken);
            }
        }

        public override string ToString()
        {
            lock (_lock)
            {
                return _text.ToString();
            }
        }

        private async Task PumpAsync(StreamReader pipe)
        {
            await Task.Yield();
            var buffer = new char[4_096];
            for (int read; (read = await pipe.ReadAsync(buffer)) > 0; )
            {
                lock (_lock)
                {
                    _text.Append(buffer, 0, read);
                    var text = _text.ToString();
                    foreach (
                        var waiter in _waiting.Where(waiter => text.Contains(waiter.Text, StringComparison.Ordinal)).ToList()
                    )
                    {
                        _waiting.Remove(waiter);
                        waiter.Found.SetResult();
                    }
                }
            }

            lock (_lock)
            {
                var missing = new InvalidOperationException($"The output ended; it was:\n{_text}");
                _waiting.ForEach(waiter => waiter.Found.TrySetException(missing));
            }
        }
    }
}
