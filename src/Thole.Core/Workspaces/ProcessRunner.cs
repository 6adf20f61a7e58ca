using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// Runs commands on this machine. Each carries a mark in its environment, by which all that came of it is found again; what is
/// left when the session ends is killed, and what is left when this process dies is killed by an <see cref="OrphanGuard"/>.
/// </summary>
public sealed class ProcessRunner : IProcessRunner
{
    /// <summary>Where a child reads which command it came of; names nest where we run beneath ourselves.</summary>
    internal const string MarkName = "THOLE_COMMAND";

    private const int MostInBackground = 32;
    private const int ForegroundKept = 8 << 20;
    private const int BackgroundKept = 1 << 20;
    private const int NoSuchFile = 2;
    private const int TooLong = 7;
    private const int NotPermitted = 13;

    private readonly string _mark = RandomNumberGenerator.GetHexString(16, lowercase: true);
    private readonly TimeProvider _time;
    private readonly Lazy<IReadOnlyDictionary<string, string>> _environment;
    private readonly Lazy<string> _shell;
    private readonly Lazy<OrphanGuard> _guard;
    private readonly ConcurrentDictionary<string, RunningCommand> _background = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<RunningCommand, bool> _foreground = new();
    private int _started;
    private bool _isDisposed;

    public ProcessRunner(ChildEnvironment environment, TimeProvider time)
    {
        _time = time;
        _environment = new(environment.OfThisProcess);
        _shell = new(FindShell);
        _guard = new(() => new OrphanGuard($"{_mark}.", _environment.Value.GetValueOrDefault("PATH", "/usr/bin:/bin")));
    }

    public IReadOnlyList<BackgroundCommand> Background => [.. _background.Values];

    public BackgroundCommand? Find(string id) => _background.GetValueOrDefault(id);

    public async Task<ProcessResult> RunAsync(ProcessRequest request, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return new ProcessResult("", TotalBytes: 0, ExitCode: null, Signal: null, ProcessEnd.Interrupted);
        }

        var command = Launch(request, id: "", ForegroundKept);
        _foreground[command] = true;
        try
        {
            return await command.Ended.WaitAsync(request.Timeout, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return await command.StopAsync(ProcessEnd.TimedOut);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return await command.StopAsync(ProcessEnd.Interrupted);
        }
        finally
        {
            _foreground.TryRemove(command, out _);
        }
    }

    public BackgroundCommand Start(ProcessRequest request)
    {
        if (_background.Values.Count(command => command.IsRunning) >= MostInBackground)
        {
            throw new WorkspaceException(
                ToolErrors.ShellFailed,
                $"{MostInBackground} commands are running in the background already: stop one that is no longer needed."
            );
        }

        var command = Launch(request, $"bg_{RandomNumberGenerator.GetHexString(8, lowercase: true)}", BackgroundKept);
        _background[command.Id] = command;
        return command;
    }

    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await Task.WhenAll(
            _background.Values.Concat(_foreground.Keys).Select(command => command.StopAsync(ProcessEnd.Interrupted))
        );

        // Servers that a foreground command left behind, whatever group or session they are in by now.
        if (_started > 0)
        {
            await new ProcessTree(leader: 0, $"{_mark}.").KillAsync(_time);
        }

        if (_guard.IsValueCreated)
        {
            _guard.Value.Dispose();
        }
    }

    private RunningCommand Launch(ProcessRequest request, string id, int kept)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if ((request.Arguments ?? [request.Command]).Any(text => text.Contains('\0', StringComparison.Ordinal)))
        {
            throw new WorkspaceException(ToolErrors.ShellFailed, "A command cannot contain a NUL character: write it without.");
        }

        if (!Directory.Exists(request.Directory))
        {
            throw new WorkspaceException(
                ToolErrors.FileNotFound,
                $"There is no directory '{request.Directory}': make it first, or run the command elsewhere."
            );
        }

        var output = request.OutputOnly is { } most ? new KeptOutput(most, 0) { IsUtf8 = true } : new KeptOutput(kept, kept);
        var mark = $"{_mark}.{Interlocked.Increment(ref _started)};";
        var environment = new Dictionary<string, string>(request.Environment ?? _environment.Value, StringComparer.Ordinal)
        {
            [MarkName] = _environment.Value.GetValueOrDefault(MarkName) + mark,
        };
        return new RunningCommand(id, request.Command, Child(request, environment, mark, output), _time);
    }

    private ChildProcess Child(ProcessRequest request, Dictionary<string, string> environment, string mark, KeptOutput output)
    {
        if (OperatingSystem.IsWindows())
        {
            return WindowsChild.Start(_shell.Value, request, environment, output);
        }

        // The command is its own argument: a dash at its beginning is no option of the shell.
        var arguments = request.Arguments ?? [_shell.Value, "-c", "--", request.Command];
        var error = _guard.Value.Stand();
        if (error == 0)
        {
            (var child, error) = UnixChild.Start(arguments, request, environment, mark, output, _guard.Value, _time);
            if (child is not null)
            {
                return child;
            }
        }

        throw new WorkspaceException(
            ToolErrors.ShellFailed,
            error switch
            {
                TooLong => "The command is longer than this system takes: write it to a file and run that.",
                NotPermitted => $"The directory '{request.Directory}' may not be entered: run the command elsewhere.",
                NoSuchFile => $"'{arguments[0]}' or '{request.Directory}' is not there any more: look and try again.",
                _ =>
                    $"The command could not be started ({Marshal.GetPInvokeErrorMessage(error)}): try again when less is running.",
            }
        );
    }

    private string FindShell()
    {
        if (OperatingSystem.IsWindows())
        {
            return Path.Join(Environment.SystemDirectory, "cmd.exe");
        }

        var directories = _environment.Value.GetValueOrDefault("PATH", "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return directories.Prepend("/usr/bin").Prepend("/bin").Select(path => Path.Join(path, "bash")).FirstOrDefault(File.Exists)
            ?? "/bin/sh";
    }
}
