using System.Text;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>
/// All processes that came of one command, also those that left its group and session: told by the mark in their environment,
/// by their session, or by their parents. A process that made a session of its own, lost its parent and wiped its environment
/// before anybody looked is the one that cannot be told. Linux only: elsewhere it finds nobody, and the group is all there is.
/// </summary>
/// <param name="leader">The session they started in; 0 where only the mark counts.</param>
internal sealed class ProcessTree(int leader, string mark)
{
    private const int ReadOnlyCloseOnExec = 0x80000;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly byte[] _mark = Encoding.ASCII.GetBytes(mark);
    private readonly byte[] _buffer = new byte[64 * 1024];

    // With the time of its start, because numbers of processes are used again.
    private readonly HashSet<(int Pid, long Started)> _seen = [];

    /// <summary>Finds who belongs to the command now, and keeps in mind who did.</summary>
    /// <returns>Who of them lives.</returns>
    public IReadOnlyList<int> Look()
    {
        if (!OperatingSystem.IsLinux())
        {
            return [];
        }

        List<Running> all = [];
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), out var pid) && ReadStat(pid) is { } running)
            {
                all.Add(running);
            }
        }

        HashSet<int> living = [];

        // Each command starts in a new session and nobody can join one from outside: a session with one of them in it is theirs.
        HashSet<int> sessions = leader == 0 ? [] : [leader];
        foreach (var running in all)
        {
            if (_seen.Contains((running.Pid, running.Started)) || IsMarked(running.Pid))
            {
                living.Add(running.Pid);
            }
        }

        for (var grew = true; grew; )
        {
            grew = false;
            foreach (var running in all)
            {
                if (living.Contains(running.Parent) || sessions.Contains(running.Session))
                {
                    grew |= living.Add(running.Pid);
                }

                if (living.Contains(running.Pid))
                {
                    grew |= sessions.Add(running.Session);
                    _seen.Add((running.Pid, running.Started));
                }
            }
        }

        return [.. living];
    }

    /// <summary>Kills them until none is left, or until it is plain that one cannot be killed (another user's, stuck in the kernel).</summary>
    public async Task KillAsync(TimeProvider time)
    {
        var start = time.GetTimestamp();
        while (Look() is [_, ..] living && time.GetElapsedTime(start) < s_patience)
        {
            foreach (var pid in living)
            {
                SpawnCalls.Kill(pid, SpawnCalls.SigKill);
            }

            await Task.Delay(s_pause, time, CancellationToken.None);
        }
    }

    // Zombies are left out: they are dead, and whoever must reap them does.
    private Running? ReadStat(int pid)
    {
        var length = Read($"/proc/{pid}/stat", 0, _buffer, out var descriptor);
        SpawnCalls.Close(descriptor);
        var stat = _buffer.AsSpan(0, length);
        var name = stat.LastIndexOf(")"u8);
        if (name < 0)
        {
            return null;
        }

        // proc(5): state, parent, group, session, …, the start is the 20th after the name.
        var fields = Encoding.ASCII.GetString(stat[(name + 2)..]).Split(' ');
        return fields is [not ("Z" or "X"), var parent, _, var session, ..]
            ? new(pid, int.Parse(parent), int.Parse(session), long.Parse(fields[19]))
            : null;
    }

    private bool IsMarked(int pid)
    {
        var length = Read($"/proc/{pid}/environ", 0, _buffer, out var descriptor);
        while (length > 0 && _buffer.AsSpan(0, length).IndexOf(_mark) < 0)
        {
            var overlap = Math.Min(length, _mark.Length - 1);
            _buffer.AsSpan(length - overlap, overlap).CopyTo(_buffer);
            var more = ReadOn(descriptor, overlap);
            length = more > 0 ? overlap + more : 0;
        }

        SpawnCalls.Close(descriptor);
        return length > 0;
    }

    // By system calls: a process that is gone, or not ours, is the common case and no exception.
    private static int Read(string path, int offset, byte[] buffer, out int descriptor)
    {
        descriptor = SpawnCalls.Open(path, ReadOnlyCloseOnExec);
        return descriptor < 0 ? 0 : ReadOn(descriptor, offset, buffer);
    }

    private int ReadOn(int descriptor, int offset) => ReadOn(descriptor, offset, _buffer);

    private static unsafe int ReadOn(int descriptor, int offset, byte[] buffer)
    {
        fixed (byte* start = buffer)
        {
            return (int)Math.Max(0, SpawnCalls.Read(descriptor, start + offset, (nuint)(buffer.Length - offset)));
        }
    }

    private readonly record struct Running(int Pid, int Parent, int Session, long Started);
}
