using System.Text;
using Thole.Protocol;
using Thole.Testing.Models;

namespace Thole.EndToEnd.Tests;

/// <summary>A log that was truncated or damaged costs what is gone, and says so; other sessions do not notice.</summary>
public sealed class DamagedLogSpecs
{
    [Theory]
    [InlineData("truncated to its half", true)]
    [InlineData("truncated to nothing", false)]
    [InlineData("the first page is zeros", true)]
    [InlineData("a page in the middle is noise", true)]
    [InlineData("not a log at all", false)]
    [InlineData("a word was changed", true)]
    public async Task Damage_is_said_and_what_can_be_read_is_saved(string damage, bool canBeSaved)
    {
        using var program = new CrashProgram();
        await using var model = ScriptedModelServer.Start().ReplyOtherwise(reply => reply.Text(s_answer).Done());
        await program.RunAsync(model, CrashProgram.Prompt(null, "the good one"));
        var good = Assert.Single(await program.ListAsync()).Id;
        await program.RunAsync(model, CrashProgram.Prompt(null, "the bad one"));
        var bad = (await program.ListAsync()).Single(session => session.Id != good).Id;
        Damage(Path.Join(program.Sessions, $"{bad}.db"), damage);

        var listed = await program.RunAsync(null, "sessions", "list");
        Assert.Equal((0, ""), (listed.ExitCode, listed.Error));
        Assert.Contains(good.Value, listed.Output);
        Assert.Contains(bad.Value, listed.Output);
        var verified = await program.RunAsync(null, "sessions", "verify", "--all");
        Assert.Equal(1, verified.ExitCode);
        Assert.Contains($"{good}  intact", verified.Output);
        Assert.Contains($"{bad}  NOT INTACT", verified.Output);
        var shown = await program.RunAsync(null, "sessions", "show", bad.Value);
        Assert.True(shown.ExitCode == 0 ? shown.Error is "" : IsOneSentence(shown.Error), shown.Error);

        var resumed = await program.RunAsync(model, CrashProgram.Prompt(bad, "go on"));
        if (canBeSaved)
        {
            Assert.Equal(0, resumed.ExitCode);
            Assert.True(
                resumed.Error.StartsWith("thole: ", StringComparison.Ordinal) && IsOneSentence(resumed.Error),
                resumed.Error
            );
            Assert.Contains(
                (await program.EventsAsync(bad)).Select(envelope => envelope.Event),
                happened => happened is LogRecovered
            );
            verified = await program.RunAsync(null, "sessions", "verify", bad.Value);
            Assert.True(verified.ExitCode == 0, verified.Output);
            Assert.Contains("recovered at ", verified.Output); // what was lost is not forgotten because the rest holds
            Assert.NotEmpty(Directory.GetFiles(program.Sessions, $"{bad}.db.damaged-*"));
        }
        else
        {
            Assert.True(resumed.ExitCode is 1 or 2 && IsOneSentence(resumed.Error), $"{resumed.ExitCode}: {resumed.Error}");
            Assert.Equal(0, (await program.RunAsync(null, "sessions", "delete", bad.Value, "--yes")).ExitCode);
        }

        Assert.Equal(0, (await program.RunAsync(model, CrashProgram.Prompt(good, "go on"))).ExitCode);
    }

    private static readonly string s_answer = string.Concat(Enumerable.Repeat("A long answer that fills some pages. ", 500));

    private static bool IsOneSentence(string error) => error.Count(letter => letter is '\n') == 1 && error.Length > 20;

    private static void Damage(string path, string damage)
    {
        var bytes = File.ReadAllBytes(path);
        switch (damage)
        {
            case "truncated to its half":
                bytes = bytes[..(bytes.Length / 2)];
                break;
            case "truncated to nothing":
                bytes = [];
                break;
            case "the first page is zeros":
                bytes.AsSpan(0, 4096).Clear();
                break;
            case "a page in the middle is noise":
                new Random(1).NextBytes(bytes.AsSpan(bytes.Length / 8192 * 4096, 4096));
                break;
            case "not a log at all":
                bytes = "Dear diary, this is no database."u8.ToArray();
                break;
            case "a word was changed":
                // Wherever it lies: the first one may be what a page has left of an older cell.
                bytes = Encoding.Latin1.GetBytes(
                    Encoding.Latin1.GetString(bytes).Replace("some", "many", StringComparison.Ordinal)
                );
                break;
        }

        File.WriteAllBytes(path, bytes);
    }
}
