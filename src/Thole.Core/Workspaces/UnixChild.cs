using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>
/// A program in a session and process group of its own, watched by one thread that reads what it prints. It is reaped last: as
/// long as it is a zombie no other process can get its number, so that no signal ever hits a stranger.
/// </summary>
internal sealed unsafe class UnixChild : ChildProcess
{
    private const int PidFileDescriptorOpen = 434; // the same on every architecture of Linux
    private const long LargestPipe = 1 << 20; // /proc/sys/fs/pipe-max-size as it comes

    private readonly AnonymousPipeServerStream _pipe;
    private readonly OrphanGuard _guard;
    private readonly ProcessTree _tree;
    private readonly TimeProvider _time;
    private readonly int _pid;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private UnixChild(
        int pid,
        AnonymousPipeServerStream pipe,
        string mark,
        KeptOutput output,
        OrphanGuard guard,
        TimeProvider time
    )
        : base(output)
    {
        _pid = pid;
        _pipe = pipe;
        _guard = guard;
        _time = time;
        _tree = new ProcessTree(pid, mark);
        new Thread(Pump, maxStackSize: 256 * 1024) { IsBackground = true, Name = $"output of {pid}" }.Start();
    }

    /// <summary>Null and an errno where it could not be started.</summary>
    public static (UnixChild? Child, int Error) Start(
        IReadOnlyList<string> arguments,
        ProcessRequest request,
        IEnumerable<KeyValuePair<string, string>> environment,
        string mark,
        KeptOutput output,
        OrphanGuard guard,
        TimeProvider time
    )
    {
        var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.None);
        using var theirs = pipe.ClientSafePipeHandle;
        var (pid, error) = PosixSpawn.Start(
            arguments,
            request.Directory,
            environment,
            input: null,
            (int)theirs.DangerousGetHandle(),
            dropErrors: request.OutputOnly is not null
        );
        if (error != 0)
        {
            pipe.Dispose();
            return (null, error);
        }

        // First of all: from here on it is ended also where we are killed.
        guard.Watch(pid);
        return (new UnixChild(pid, pipe, mark, output, guard, time), 0);
    }

    public override Task Ended => _ended.Task;

    public override Task Drained => _drained.Task;

    public override void Remember() => _tree.Look();

    public override void Interrupt() => SpawnCalls.Kill(-_pid, SpawnCalls.SigInt);

    public override void Terminate() => SpawnCalls.Kill(-_pid, SpawnCalls.SigTerm);

    public override Task KillTreeAsync()
    {
        _tree.Look();
        SpawnCalls.Kill(-_pid, SpawnCalls.SigKill);
        return _tree.KillAsync(_time);
    }

    public override (int? ExitCode, string? Signal) Reap()
    {
        _guard.Release(_pid);
        var (exitCode, signal) = PosixSpawn.Reap(_pid);
        return (exitCode, signal is { } number ? SignalNames.Of(number) : null);
    }

    private void Pump()
    {
        var watch = OperatingSystem.IsLinux() ? (int)SpawnCalls.SystemCall(PidFileDescriptorOpen, _pid, 0) : -1;
        var buffer = new byte[64 * 1024];
        var targets = stackalloc SpawnCalls.PollTarget[2];
        targets[0] = new() { Descriptor = (int)_pipe.SafePipeHandle.DangerousGetHandle(), Events = SpawnCalls.PollIn };
        targets[1] = new() { Descriptor = watch, Events = SpawnCalls.PollIn };
        var isOpen = true;
        long endedAt = 0;
        long readSince = 0;
        while (true)
        {
            // Where the kernel has no descriptor for a process (macOS, Linux before 5.3) we have to look.
            var patience =
                endedAt != 0 ? Math.Max(0, (int)(DrainTime - Stopwatch.GetElapsedTime(endedAt)).TotalMilliseconds)
                : watch >= 0 ? -1
                : 10;
            targets[0].Returned = targets[1].Returned = 0;
            SpawnCalls.Poll(targets, 2, patience);
            var isReadable = isOpen && targets[0].Returned != 0;
            if (isReadable)
            {
                var count = ReadPipe(targets[0].Descriptor, buffer);
                Output.Append(buffer.AsSpan(0, count));
                readSince += count;
                isOpen = count > 0;
                targets[0].Descriptor = isOpen ? targets[0].Descriptor : -1;
            }

            if (endedAt == 0 && (watch >= 0 ? targets[1].Returned != 0 : PosixSpawn.HasEnded(_pid)))
            {
                endedAt = Stopwatch.GetTimestamp();
                readSince = 0;
                targets[1].Descriptor = -1;
                _ended.SetResult();
            }

            // What the program itself printed is in the pipe when it ends, and read even by a machine too busy to be in time.
            var isOverdue = endedAt != 0 && Stopwatch.GetElapsedTime(endedAt) >= DrainTime;
            if (endedAt != 0 && (!isOpen || (isOverdue && (!isReadable || readSince > LargestPipe))))
            {
                break;
            }
        }

        _pipe.Dispose();
        if (watch >= 0)
        {
            SpawnCalls.Close(watch);
        }

        _drained.SetResult();
    }

    private static int ReadPipe(int descriptor, byte[] buffer)
    {
        fixed (byte* start = buffer)
        {
            nint count;
            do
            {
                count = SpawnCalls.Read(descriptor, start, (nuint)buffer.Length);
            } while (count < 0 && Marshal.GetLastPInvokeError() == SpawnCalls.EIntr);

            return (int)Math.Max(0, count);
        }
    }
}
