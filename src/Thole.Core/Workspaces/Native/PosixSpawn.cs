using System.Runtime.InteropServices;
using System.Text;
using Thole.Protocol;

namespace Thole.Core.Workspaces.Native;

/// <summary>
/// Starts a program without fork (which managed code must never do) in a session of its own, with default signals, nothing on
/// standard input, and no descriptor of ours but the ones given.
/// </summary>
internal static unsafe class PosixSpawn
{
    // Larger than posix_spawnattr_t, posix_spawn_file_actions_t, sigset_t, siginfo_t and struct sigaction of every libc.
    private const int AnyStruct = 512;
    private const short SetSignalDefaults = 4;
    private const short SetSignalMask = 8;
    private const int SigChild = 17;
    private const int SigChildOnMac = 20;
    private const int GetDescriptorFlags = 1;

    private static readonly Lock s_gate = new();
    private static bool s_isChildSignalHeard;

    /// <summary>False on glibc before 2.34 and on musl, which is found out by trying; tests take it away.</summary>
    internal static bool HasCloseFrom { get; set; } = true;

    // Linux: POSIX_SPAWN_SETSID. macOS: POSIX_SPAWN_SETSID | POSIX_SPAWN_CLOEXEC_DEFAULT.
    private static short NewSession => OperatingSystem.IsMacOS() ? (short)(0x0400 | 0x4000) : (short)0x80;

    /// <returns>The child's number, or 0 and an errno.</returns>
    public static (int Pid, int Error) Start(
        IReadOnlyList<string> arguments,
        string directory,
        IEnumerable<KeyValuePair<string, string>> environment,
        int? input,
        int? output,
        bool dropErrors = false
    )
    {
        HearOfChildren();
        var actions = stackalloc byte[AnyStruct];
        var attributes = stackalloc byte[AnyStruct];
        var signals = stackalloc byte[AnyStruct];
        var text = new TextBlock();
        SpawnCalls.ActionsInit(actions);
        SpawnCalls.AttributesInit(attributes);
        try
        {
            SpawnCalls.SignalsEmpty(signals);
            SpawnCalls.AttributesSetSignalMask(attributes, signals);
            SpawnCalls.SignalsFill(signals);
            SpawnCalls.AttributesSetSignalDefaults(attributes, signals);
            SpawnCalls.AttributesSetFlags(attributes, (short)(NewSession | SetSignalDefaults | SetSignalMask));

            const int readOnly = 0;
            const int writeOnly = 1;
            Connect(actions, 0, input, readOnly);
            Connect(actions, 1, output, writeOnly);
            Connect(actions, 2, dropErrors ? null : 1, writeOnly);
            Require(SpawnCalls.ActionsAddChangeDirectory(actions, directory));
            CloseTheRest(actions);

            var error = SpawnCalls.Spawn(
                out var pid,
                arguments[0],
                actions,
                attributes,
                text.Add(arguments),
                text.Add(environment.Select(pair => $"{pair.Key}={pair.Value}"))
            );
            return error == 0 ? (pid, 0) : (0, error);
        }
        finally
        {
            text.Free();
            SpawnCalls.ActionsDestroy(actions);
            SpawnCalls.AttributesDestroy(attributes);
        }
    }

    /// <summary>How the child ended; waits for it, and its number may be used again afterwards.</summary>
    public static (int? ExitCode, int? Signal) Reap(int pid)
    {
        int status;
        while (SpawnCalls.Wait(pid, out status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != SpawnCalls.EIntr)
            {
                return (null, null);
            }
        }

        return (status & 0x7f) == 0 ? ((status >> 8) & 0xff, null) : (null, status & 0x7f);
    }

    /// <summary>Has it ended? It stays a zombie, so that its number stays its own.</summary>
    public static bool HasEnded(int pid)
    {
        const int byPid = 1;
        const int noHang = 1;
        var (exited, keep) = OperatingSystem.IsMacOS() ? (0x04, 0x20) : (0x04, 0x0100_0000);
        var signalInfo = stackalloc byte[AnyStruct];
        new Span<byte>(signalInfo, AnyStruct).Clear();

        // si_signo comes first in every libc, and stays 0 where nothing has ended.
        return SpawnCalls.WaitId(byPid, (uint)pid, signalInfo, exited | keep | noHang) < 0 || *(int*)signalInfo != 0;
    }

    private static void Connect(void* actions, int descriptor, int? ours, int flags)
    {
        if (ours is { } given)
        {
            Require(SpawnCalls.ActionsAddDuplicate(actions, given, descriptor));
        }
        else
        {
            Require(SpawnCalls.ActionsAddOpen(actions, descriptor, "/dev/null", flags, 0));
        }
    }

    // The list of actions is built in memory, so there is one way to fail.
    private static void Require(int error)
    {
        if (error != 0)
        {
            throw new WorkspaceException(
                ToolErrors.ShellFailed,
                "The command could not be started, there is no memory left: try again when less is running."
            );
        }
    }

    // All descriptors of .NET are close-on-exec, but not those that we were started with.
    private static void CloseTheRest(void* actions)
    {
        if (OperatingSystem.IsMacOS())
        {
            return; // POSIX_SPAWN_CLOEXEC_DEFAULT
        }

        if (HasCloseFrom)
        {
            try
            {
                Require(SpawnCalls.ActionsAddCloseFrom(actions, 3));
                return;
            }
            catch (EntryPointNotFoundException)
            {
                HasCloseFrom = false;
            }
        }

        foreach (var path in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (
                int.TryParse(Path.GetFileName(path.AsSpan()), out var descriptor)
                && descriptor > 2
                && SpawnCalls.FileControl(descriptor, GetDescriptorFlags) == 0
            )
            {
                Require(SpawnCalls.ActionsAddClose(actions, descriptor));
            }
        }
    }

    // Whoever started us may have ignored SIGCHLD (nohup scripts, some supervisors). Then the kernel reaps for us, and no exit
    // code can be known. A handler that the runtime has installed is left alone.
    private static void HearOfChildren()
    {
        lock (s_gate)
        {
            if (s_isChildSignalHeard)
            {
                return;
            }

            const nint ignore = 1;
            var signal = OperatingSystem.IsMacOS() ? SigChildOnMac : SigChild;
            var action = stackalloc byte[AnyStruct];
            new Span<byte>(action, AnyStruct).Clear();
            if (SpawnCalls.SignalAction(signal, null, action) == 0 && *(nint*)action == ignore)
            {
                new Span<byte>(action, AnyStruct).Clear();
                _ = SpawnCalls.SignalAction(signal, action, null);
            }

            s_isChildSignalHeard = true;
        }
    }

    // Arrays of C strings, freed together.
    private struct TextBlock()
    {
        private readonly List<nint> _blocks = [];

        public readonly byte** Add(IEnumerable<string> texts)
        {
            List<nint> pointers = [];
            foreach (var text in texts)
            {
                var length = Encoding.UTF8.GetByteCount(text);
                var block = (byte*)NativeMemory.Alloc((nuint)length + 1);
                Encoding.UTF8.GetBytes(text, new Span<byte>(block, length));
                block[length] = 0;
                _blocks.Add((nint)block);
                pointers.Add((nint)block);
            }

            var array = (byte**)NativeMemory.AllocZeroed((nuint)pointers.Count + 1, (nuint)sizeof(byte*));
            _blocks.Add((nint)array);
            for (var index = 0; index < pointers.Count; index++)
            {
                array[index] = (byte*)pointers[index];
            }

            return array;
        }

        public readonly void Free()
        {
            foreach (var block in _blocks)
            {
                NativeMemory.Free((void*)block);
            }
        }
    }
}
