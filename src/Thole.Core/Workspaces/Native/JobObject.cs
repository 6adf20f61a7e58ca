using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Thole.Core.Workspaces.Native;

/// <summary>Processes that end together: when they are told to, or when the last handle to the job is closed, as it is when we end.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe partial class JobObject
{
    private const int ExtendedLimits = 9;
    private const uint KillOnClose = 0x2000;
    private const uint CtrlBreak = 1;

    // Never closed by us: that would end what a command left behind on purpose. It ends when we do.
    private readonly nint _handle;

    public JobObject()
    {
        _handle = CreateJobObject(null, null);
        var limits = new Limits { Flags = KillOnClose };
        if (_handle == 0 || SetInformation(_handle, ExtendedLimits, &limits, (uint)sizeof(Limits)) == 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    public void Add(SafeHandle process)
    {
        // A program that has ended already cannot join, and need not.
        _ = AssignProcess(_handle, process);
    }

    public void Terminate() => _ = TerminateJob(_handle, 1);

    public static void SendBreak(int group) => _ = GenerateConsoleCtrlEvent(CtrlBreak, (uint)group);

    [LibraryImport("kernel32", EntryPoint = "CreateJobObjectW", SetLastError = true)]
    private static partial nint CreateJobObject(void* security, char* name);

    [LibraryImport("kernel32", EntryPoint = "SetInformationJobObject", SetLastError = true)]
    private static partial int SetInformation(nint job, int kind, Limits* limits, uint size);

    [LibraryImport("kernel32", EntryPoint = "AssignProcessToJobObject")]
    private static partial int AssignProcess(nint job, SafeHandle process);

    [LibraryImport("kernel32", EntryPoint = "TerminateJobObject")]
    private static partial int TerminateJob(nint job, uint exitCode);

    [LibraryImport("kernel32")]
    private static partial int GenerateConsoleCtrlEvent(uint controlEvent, uint group);

    // JOBOBJECT_EXTENDED_LIMIT_INFORMATION
    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        public long ProcessTime;
        public long JobTime;
        public uint Flags;
        public nuint MinimumWorkingSet;
        public nuint MaximumWorkingSet;
        public uint ActiveProcesses;
        public nuint Affinity;
        public uint PriorityClass;
        public uint SchedulingClass;
        public fixed ulong IoCounters[6];
        public nuint ProcessMemory;
        public nuint JobMemory;
        public nuint PeakProcessMemory;
        public nuint PeakJobMemory;
    }
}
