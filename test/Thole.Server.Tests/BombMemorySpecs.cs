using Thole.Server.Tests.Streams;

namespace Thole.Server.Tests;

/// <summary>S62: what is kept of a body that was made to cost much.</summary>
[Collection(nameof(Alone))]
public sealed class BombMemorySpecs
{
    [Fact]
    public async Task S62_nothing_of_a_bomb_is_kept_once_it_is_answered()
    {
        await using var daemon = await TestDaemon.StartAsync();
        string[] bombs =
        [
            new('[', 2_000_000),
            string.Concat(Enumerable.Repeat("{\"a\":", 400_000)),
            $"{{{string.Join(',', Enumerable.Range(0, 700_000).Select(number => $"\"{number:x}\":1"))}}}",
            $"{{\"text\":\"{new string('a', 9_000_000)}",
        ];
        await FallAsync(); // what is made once, and pools, are not of the bombs
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var round = 0; round < 5; round++)
        {
            await FallAsync();
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 1024 * 1024);

        async Task FallAsync()
        {
            foreach (var bomb in bombs)
            {
                Assert.Equal(400, (await daemon.SendAsync("POST", "/session", bomb)).Status);
            }
        }
    }
}
