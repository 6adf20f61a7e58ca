using System.IO.Pipes;
using System.Text;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>
/// Ends our commands where we cannot: a small shell beside them that waits at a pipe. The kernel closes our end however we die,
/// also by SIGKILL, and then it kills every process that carries our mark, belongs to a session of ours, or descends from one.
/// It stands beside the commands and not around them, so that they see no other parent, exit code or signal than without it.
/// </summary>
internal sealed class OrphanGuard(string mark, string searchPath) : IDisposable
{
    // Collect first, kill then: killing a parent makes its children orphans that nobody can tell. And stop before both, until a
    // look finds nobody new: what is stopped starts nothing while we look. Every session with a process
    // of ours in it is ours, because each command starts in a new one and nobody can join a session from outside.
    private const string Script = """
        trap '' HUP INT QUIT TERM
        mark=$1 groups=' '
        while read -r verb id; do
          case $verb in
            +) groups="$groups$id " ;;
            -) case $groups in *" $id "*) groups="${groups%% $id *} ${groups#* $id }" ;; esac ;;
          esac
        done
        round=0 before=
        while [ $round -lt 100 ]; do
          found=' ' all=
          for stat in /proc/[0-9]*/stat; do
            { read -r line < "$stat"; } 2>/dev/null || continue
            pid=${line%% *}
            set -- ${line##*) }
            case $1 in Z|X) continue ;; esac
            all="$all $pid:$2:$4"
          done
          for file in $(grep -lF -e "$mark" /proc/[0-9]*/environ 2>/dev/null); do
            pid=${file#/proc/}
            found="$found${pid%/environ} "
          done
          grew=1
          while [ $grew = 1 ]; do
            grew=0
            for entry in $all; do
              pid=${entry%%:*} rest=${entry#*:}
              parent=${rest%:*} session=${rest#*:}
              case $found in *" $pid "*)
                case $groups in *" $session "*) ;; *) groups="$groups$session " grew=1 ;; esac
                continue ;;
              esac
              case $found in *" $parent "*) found="$found$pid " grew=1; continue ;; esac
              case $groups in *" $session "*) found="$found$pid " grew=1 ;; esac
            done
          done
          if [ "$found" = ' ' ]; then
            for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
            exit 0
          fi
          round=$((round + 1))
          if [ "$found" != "$before" ] && [ $round -lt 20 ]; then
            for pid in $found; do kill -STOP "$pid" 2>/dev/null; done
            before=$found
            continue
          fi
          for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
          for pid in $found; do kill -KILL "$pid" 2>/dev/null; done
          before=
          sleep 0.02
        done
        """;

    private readonly Lock _gate = new();
    private readonly HashSet<int> _watched = [];
    private AnonymousPipeServerStream? _pipe;
    private int _pid;

    public void Watch(int group)
    {
        lock (_gate)
        {
            _watched.Add(group);
            Tell($"+ {group}\n");
        }
    }

    public void Release(int group)
    {
        lock (_gate)
        {
            _watched.Remove(group);
            Tell($"- {group}\n");
        }
    }

    /// <summary>Starts it where it does not stand yet: before the first command, so that none runs unguarded.</summary>
    /// <returns>An errno, or 0.</returns>
    public int Stand()
    {
        lock (_gate)
        {
            return _pipe is null ? Start() : 0;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            Leave();
        }
    }

    // A guard that somebody killed is replaced, and hears everything again.
    private void Tell(string line)
    {
        if (_pipe is not null && !TryWrite(_pipe, line))
        {
            Leave();
            Start();
        }
    }

    private int Start()
    {
        var pipe = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.None);
        using var theirs = pipe.ClientSafePipeHandle;
        (_pid, var error) = PosixSpawn.Start(
            ["/bin/sh", "-c", Script, "thole-guard", mark],
            "/",
            [new("PATH", searchPath)],
            (int)theirs.DangerousGetHandle(),
            output: null
        );
        if (error != 0)
        {
            pipe.Dispose();
            return error;
        }

        _pipe = pipe;
        TryWrite(pipe, string.Concat(_watched.Select(group => $"+ {group}\n")));
        return 0;
    }

    private void Leave()
    {
        if (_pipe is null)
        {
            return;
        }

        SpawnCalls.Kill(_pid, SpawnCalls.SigKill);
        PosixSpawn.Reap(_pid);
        _pipe.Dispose();
        _pipe = null;
    }

    private static bool TryWrite(AnonymousPipeServerStream pipe, string lines)
    {
        try
        {
            pipe.Write(Encoding.ASCII.GetBytes(lines));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
