using System.Diagnostics;
using System.Runtime.Versioning;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>A program in a job that Windows ends with its last handle: with us, however we end.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsChild : ChildProcess
{
    private readonly Process _process;
    private readonly JobObject _job;
    private readonly KeptOutput _errors;

    private WindowsChild(Process process, JobObject job, KeptOutput output, bool dropErrors)
        : base(output)
    {
        _process = process;
        _job = job;
        _errors = dropErrors ? new KeptOutput(0, 0) : output;
        Ended = process.WaitForExitAsync(CancellationToken.None);
        Drained = DrainAsync();
    }

    public override Task Ended { get; }

    public override Task Drained { get; }

    public static WindowsChild Start(
        string shell,
        ProcessRequest request,
        IEnumerable<KeyValuePair<string, string>> environment,
        KeptOutput output
    )
    {
        // cmd has rules of its own: with /s it drops the first and the last quote and takes what is between as it stands.
        var start = request.Arguments is { } arguments
            ? new ProcessStartInfo(arguments[0], arguments.Skip(1))
            : new ProcessStartInfo(shell, $"/d /s /c \"{request.Command}\"");
        start.WorkingDirectory = request.Directory;
        start.UseShellExecute = false;
        start.CreateNoWindow = false;
        start.CreateNewProcessGroup = true;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment.Clear();
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var job = new JobObject();
        var process = Process.Start(start)!;
        job.Add(process.SafeHandle);
        process.StandardInput.Close();
        return new WindowsChild(process, job, output, dropErrors: request.OutputOnly is not null);
    }

    public override void Remember() { }

    public override void Interrupt() => JobObject.SendBreak(_process.Id);

    // There is no second, sterner request on Windows.
    public override void Terminate() { }

    public override Task KillTreeAsync()
    {
        _job.Terminate();
        return Task.CompletedTask;
    }

    public override (int? ExitCode, string? Signal) Reap()
    {
        var exitCode = _process.ExitCode;
        _process.Dispose();
        return (exitCode, null);
    }

    private async Task DrainAsync()
    {
        var reading = Task.WhenAll(
            ReadAsync(_process.StandardOutput.BaseStream, Output),
            ReadAsync(_process.StandardError.BaseStream, _errors)
        );
        await Ended;
        await Task.WhenAny(reading, Task.Delay(DrainTime, TimeProvider.System, CancellationToken.None));
    }

    private static async Task ReadAsync(Stream printed, KeptOutput output)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await printed.ReadAsync(buffer, CancellationToken.None) is > 0 and var count)
            {
                output.Append(buffer.AsSpan(0, count));
            }
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            // The other end is gone, or we closed ours: what was read is what was printed.
        }
    }
}
