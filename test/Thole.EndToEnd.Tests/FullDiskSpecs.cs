using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>A disk that fills up costs the run, one sentence long, and nothing that was acknowledged.</summary>
public sealed class FullDiskSpecs
{
    [Fact]
    public async Task A_full_disk_ends_the_run_with_one_sentence_and_the_session_goes_on_when_there_is_space()
    {
        using var program = new CrashProgram();
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && await Shell.TryAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", program.Home),
            "needs the right to mount a tmpfs: run as root"
        );
        try
        {
            await using var hello = ScriptedModelServer.Start().ReplyOtherwise(reply => reply.Text("Hello.").Done());
            Assert.Equal(0, (await program.RunAsync(hello, CrashProgram.Prompt(null, "hello"))).ExitCode);
            var session = Assert.Single(await program.ListAsync()).Id;

            var others = Path.Join(program.Home, "others");
            await File.WriteAllBytesAsync(others, new byte[400_000], TestContext.Current.CancellationToken);

            // The turn itself fills the disk: each round leaves some 60 kB that must be kept.
            await using var talkative = ScriptedModelServer
                .Start()
                .ReplyOtherwise(reply =>
                    reply
                        .Call(
                            "run_shell_command",
                            """{"command":"head -c 45000 /dev/urandom | base64; printf x >> one$RANDOM$RANDOM"}"""
                        )
                        .Done()
                );
            var filling = await program.RunAsync(talkative, CrashProgram.Prompt(session, "fill it"));
            AssertRefused(filling);
            var held = await program.EventsAsync(session);
            Assert.Null(TurnStory.Check(TurnStory.Lines(filling.Output), held, program.Workspace));

            await FillAsync(Path.Join(program.Home, "ballast"));
            // A short answer may still fit into what the failed write has left allocated at the end of the log.
            AssertRefused(await program.RunAsync(talkative, CrashProgram.Prompt(session, "again")));
            AssertRefused(await program.RunAsync(hello, CrashProgram.Prompt(null, "a new one")));
            Assert.Equal(0, (await program.RunAsync(null, "sessions", "show", session.Value)).ExitCode);
            var listed = await program.RunAsync(null, "sessions", "list");
            Assert.Contains(session.Value, listed.Output);

            File.Delete(Path.Join(program.Home, "ballast"));
            File.Delete(others);
            var before = await program.EventsAsync(session);
            Assert.Null(TurnStory.Check(TurnStory.Lines(filling.Output), [.. before.Take(held.Count)], program.Workspace));
            var resumed = await program.RunAsync(hello, CrashProgram.Prompt(session, "there is space"));
            Assert.Equal((0, ""), (resumed.ExitCode, resumed.Error));
            Assert.Null(TurnStory.Check(TurnStory.Lines(resumed.Output), await program.EventsAsync(session), program.Workspace));
            var verified = await program.RunAsync(null, "sessions", "verify", "--all");
            Assert.True(verified.ExitCode == 0, verified.Output + verified.Error);
        }
        finally
        {
            Assert.True(await Shell.TryAsync("umount", "-l", program.Home));
        }
    }

    private static void AssertRefused(CrashRun run)
    {
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("disk is full", run.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(1, run.Error.Count(letter => letter is '\n'));
    }

    private static async Task FillAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[4096, 512, 1])
        {
            try
            {
                while (true)
                {
                    await file.WriteAsync(new byte[size], TestContext.Current.CancellationToken);
                }
            }
            catch (IOException)
            {
                // That size no longer fits.
            }
        }
    }
}
