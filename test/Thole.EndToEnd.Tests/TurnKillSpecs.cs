using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>
/// The program is killed in the middle of a turn, or cannot write its log, at any system call: nothing that its client was shown is lost,
/// nothing happens twice, and the next run knows what is not known.
/// </summary>
public sealed partial class TurnKillSpecs
{
    // What a turn does to its log, its client, its model and its children; a name that this machine does not have is passed over.
    private const string Calls =
        "pwrite64,write,fdatasync,fsync,ftruncate,?unlink,?unlinkat,flock,sendto,sendmsg,recvmsg,recvfrom,?vfork,?clone3,?wait4,"
        + "openat,?mkdir,?mkdirat,pread64";

    private static readonly string[] s_strace = ["strace", "-f", "-qq"];

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_that_is_killed_loses_nothing_that_was_shown_and_repeats_nothing()
    {
        await KillMatrix.RequireAsync(Now);
        var points = Some(await CallsOfATurnAsync(), 20);
        var (killed, shown, unknown) = (0, 0, 0);

        var violations = await ForEachAsync(
            points,
            async (point, program) =>
            {
                await using var model = TurnStory.Model();
                var run = await program.RunAsync(
                    model,
                    [
                        .. s_strace,
                        "-o",
                        "/dev/null",
                        "-e",
                        $"trace={Calls}",
                        "-e",
                        $"inject={point.Call}:signal=KILL:when={point.Ordinal}",
                    ],
                    CrashProgram.Prompt(null, "do it")
                );
                Interlocked.Add(ref killed, run.ExitCode == 137 ? 1 : 0);
                Interlocked.Add(ref shown, TurnStory.Lines(run.Output).Count);
                var session = await program.ListAsync() is [var only] ? only.Id : (SessionId?)null;
                var (wrong, unknowns) = await GoOnAsync(program, model, session, run);
                Interlocked.Add(ref unknown, unknowns);
                return wrong;
            }
        );

        TestContext.Current.SendDiagnosticMessage(
            $"{points.Count} points, {killed} killed, {shown} lines shown before, {unknown} calls of unknown outcome"
        );
        Assert.Empty(violations);
        Assert.True(killed * 2 > points.Count, $"only {killed} of {points.Count} were killed");
    }

    [Theory]
    [InlineData("pwrite64", "ENOSPC", "")]
    [InlineData("pwrite64", "EIO", "")]
    [InlineData("pwrite64", "EDQUOT", "+")]
    [InlineData("fsync", "EIO", "")]
    [InlineData("fsync", "EDQUOT", "+")]
    public async Task A_log_that_cannot_be_written_ends_the_run_before_anything_more_happens(
        string call,
        string error,
        string more
    )
    {
        await KillMatrix.RequireAsync(Now);
        var (failed, whole) = (0, 0);

        var violations = await ForEachAsync(
            Enumerable
                .Range(1, KillMatrix.IsLong ? 80 : 2)
                .Select(number => new KillPoint(call, KillMatrix.IsLong ? number : number * number * number, $"{error}{more}")),
            async (point, program) =>
            {
                await using var model = TurnStory.Model();
                model.ReplyWhen(
                    request => !request.Text.Contains("do it", StringComparison.Ordinal),
                    reply => reply.Text("Hello.").Done()
                );
                await program.RunAsync(model, CrashProgram.Prompt(null, "hello"));
                var session = (await program.ListAsync()).Single().Id;
                var run = await program.RunAsync(
                    model,
                    [
                        .. s_strace,
                        "-o",
                        program.Beside("trace"),
                        .. Directory.GetFiles(program.Sessions, $"{session}.*").SelectMany(file => (string[])["-P", file]),
                        "-P",
                        Path.Join(program.Sessions, $"{session}.db-wal"),
                        "-e",
                        $"inject={call}:error={error}:when={point.Ordinal}{more}",
                    ],
                    CrashProgram.Prompt(session, "do it")
                );
                Interlocked.Add(ref failed, run.ExitCode == 0 ? 0 : 1);
                Interlocked.Add(ref whole, run.ExitCode == 0 ? 1 : 0);
                if (
                    call is "fsync"
                    && more is "+"
                    && point.Ordinal == 1
                    && Directory.GetFiles(program.Workspace) is [var early, ..]
                )
                {
                    return $"no intent was ever durable, and yet there is {Path.GetFileName(early)}";
                }

                return Refusal(run) ?? (await GoOnAsync(program, model, session, run)).Wrong;
            }
        );

        TestContext.Current.SendDiagnosticMessage($"{call} {error}{more}: {failed} failed, {whole} went on");
        Assert.Empty(violations);
        Assert.True(failed > 0, "nothing failed");
    }

    [Fact]
    public async Task A_check_that_is_lied_to_notices()
    {
        using var program = new CrashProgram();
        await using var model = TurnStory.Model();
        var run = await program.RunAsync(model, CrashProgram.Prompt(null, "do it"));
        Assert.Equal(0, run.ExitCode);
        var shown = TurnStory.Lines(run.Output);
        var log = await program.EventsAsync((await program.ListAsync()).Single().Id);
        Assert.Null(TurnStory.Check(shown, log, program.Workspace));

        foreach (var promised in log.Where(kept => kept.Event is MessageCompleted or CallCompleted or TurnEnded))
        {
            Envelope[] without = [.. log.Except([promised]).Select((kept, index) => kept with { Sequence = index + 1 })];
            Assert.NotNull(TurnStory.Check(shown, without, program.Workspace));
        }

        foreach (var happened in log.Where(kept => kept.Event is CallStarted or CallCompleted or TurnEnded))
        {
            Envelope[] twice = [.. log, happened with { Sequence = log[^1].Sequence + 1 }];
            Assert.NotNull(TurnStory.Check(shown, twice, program.Workspace));
        }

        Assert.NotNull(TurnStory.Check(shown, [.. log.Where(kept => kept.Sequence is not 3)], program.Workspace));
        await File.AppendAllTextAsync(Path.Join(program.Workspace, "two"), "x", Now);
        Assert.NotNull(TurnStory.Check(shown, log, program.Workspace));
    }

    /// <summary>
    /// What every next run must find: a log that is intact and agrees with what was shown and done; a model that is told what is not known;
    /// and a job that comes to its end with everything done once.
    /// </summary>
    private static async Task<(string? Wrong, int Unknown)> GoOnAsync(
        CrashProgram program,
        ScriptedModelServer model,
        SessionId? session,
        CrashRun run
    )
    {
        var before = session is { } id ? await program.EventsAsync(id) : [];
        if (TurnStory.Check(TurnStory.Lines(run.Output), before, program.Workspace) is { } lie)
        {
            return (lie, 0);
        }

        var verified = await program.RunAsync(null, "sessions", "verify", "--all");
        if (verified.ExitCode != 0)
        {
            return ($"verify: {verified.Output}{verified.Error}", 0);
        }

        var asked = model.Requests.Count;
        var resumed = await program.RunAsync(model, CrashProgram.Prompt(session, "do it, go on"));
        session ??= (await program.ListAsync()).Single().Id;
        var after = await program.EventsAsync(session.Value);
        if (resumed.ExitCode != 0 || !resumed.Output.Contains(TurnStory.Answer, StringComparison.Ordinal))
        {
            return ($"the next run ended with {resumed.ExitCode}: {resumed.Error}", 0);
        }

        if (!before.Select(Text).SequenceEqual(after.Take(before.Count).Select(Text)))
        {
            return ("the next run changed what was there", 0);
        }

        var open = TurnStory.WithoutOutcome(before);
        var shows = open is [] ? "" : (await program.RunAsync(null, "sessions", "show", session.Value.Value)).Output;
        foreach (var call in open)
        {
            if (!TurnStory.ResultOf(model.Requests[asked], call.ProviderId!).Contains("is not known", StringComparison.Ordinal))
            {
                return ($"the model was not told that the outcome of {call.ProviderId} is not known", 0);
            }

            if (!shows.Contains("outcome unknown", StringComparison.Ordinal))
            {
                return ($"'sessions show' does not say that the outcome of {call.ProviderId} is unknown", 0);
            }
        }

        var wrong =
            TurnStory.Check(TurnStory.Lines(resumed.Output), after, program.Workspace)
            ?? (
                TurnStory.Counters.FirstOrDefault(counter =>
                    !File.Exists(Path.Join(program.Workspace, counter)) && !open.Any(call => call.ProviderId!.StartsWith(counter))
                )
                    is { } missing
                    ? $"{missing} was never done"
                    : null
            );
        return (wrong, open.Count);
    }

    // Records compare their lists by reference: what is compared is what is written.
    private static string Text(Envelope envelope) => JsonSerializer.Serialize(envelope, ProtocolJson.Default.Envelope);

    /// <summary>Either the run did not need what failed, or it ends with 1 and one sentence.</summary>
    private static string? Refusal(CrashRun run) =>
        run.ExitCode switch
        {
            0 => null,
            1 when run.Error.StartsWith("thole: ", StringComparison.Ordinal) && run.Error.Count(letter => letter is '\n') == 1 =>
                null,
            _ => $"ended with {run.ExitCode}: {run.Error}",
        };

    private static async Task<IReadOnlyList<string>> ForEachAsync(
        IEnumerable<KillPoint> points,
        Func<KillPoint, CrashProgram, Task<string?>> tryAsync
    )
    {
        var violations = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(
            points,
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Now },
            async (point, _) =>
            {
                using var program = new CrashProgram();
                if (await tryAsync(point, program) is { } wrong)
                {
                    violations.Enqueue($"{point}: {wrong}");
                }
            }
        );
        return [.. violations];
    }

    /// <summary>
    /// The calls of an undisturbed run since it first came near its sessions. strace counts those of each thread by itself, and which thread
    /// does what differs from run to run: a point is the first thread that comes so far.
    /// </summary>
    private static async Task<IReadOnlyList<KillPoint>> CallsOfATurnAsync()
    {
        using var program = new CrashProgram();
        await using var model = TurnStory.Model();
        var log = program.Beside("trace");
        var run = await program.RunAsync(
            model,
            [.. s_strace, "-o", log, "-e", $"trace=execve,{Calls}"],
            CrashProgram.Prompt(null, "do it")
        );
        Assert.True(run.ExitCode == 0, $"the program does not work undisturbed: {run.Error}");

        var counts = new Dictionary<(string Thread, string Call), int>();
        var children = new HashSet<string>(StringComparer.Ordinal);
        var points = new HashSet<KillPoint>();
        var isNear = false;
        foreach (var (number, line) in (await File.ReadAllLinesAsync(log, Now)).Index())
        {
            if (CallLine.Match(line) is not { Success: true } match)
            {
                continue;
            }

            var (thread, call) = (match.Groups["thread"].Value, match.Groups["call"].Value);
            if (call is "execve" && number > 0)
            {
                children.Add(thread); // a command of ours: killing that is no crash
            }

            counts[(thread, call)] = counts.GetValueOrDefault((thread, call)) + 1;
            isNear |= line.Contains(program.Sessions, StringComparison.Ordinal);
            if (isNear && call is not "execve" && !children.Contains(thread))
            {
                points.Add(new KillPoint(call, counts[(thread, call)], "kill"));
            }
        }

        return [.. points];
    }

    private static IReadOnlyList<KillPoint> Some(IReadOnlyList<KillPoint> points, int count) =>
        KillMatrix.IsLong ? points : [.. points.Where((_, index) => index % Math.Max(1, points.Count / count) == 0)];

    [GeneratedRegex(@"^(?<thread>\d+)\s+(?<call>[a-z0-9_]+)\(", RegexOptions.NonBacktracking)]
    private static partial Regex CallLine { get; }
}
