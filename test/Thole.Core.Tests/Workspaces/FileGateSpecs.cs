using Thole.Core.Workspaces;

namespace Thole.Core.Tests.Workspaces;

public sealed class FileGateSpecs
{
    private readonly FileGate _gate = new();

    [Fact]
    public async Task Readers_share_and_a_writer_waits_for_them()
    {
        var one = await Enter(Read("/w/a"));
        var two = await Enter(Read("/w/a"));
        var writer = Enter(Write("/w/a"));
        Assert.False(writer.IsCompleted);

        one.Dispose();
        Assert.False(writer.IsCompleted);
        two.Dispose();
        (await writer).Dispose();
        Assert.Equal(0, _gate.Count);
    }

    [Fact]
    public async Task A_waiting_writer_is_not_overtaken_by_later_readers()
    {
        var reader = await Enter(Read("/w/a"));
        var writer = Enter(Write("/w/a"));
        var late = Enter(Read("/w/a"));
        var elsewhere = await Enter(Write("/w/b"));

        Assert.False(late.IsCompleted);
        reader.Dispose();
        (await writer).Dispose();
        (await late).Dispose();
        elsewhere.Dispose();
    }

    [Theory]
    [InlineData("/w", "/w/a/b", true)]
    [InlineData("/w/a", "/w/ab", false)]
    [InlineData("*", "/w/a", true)]
    public async Task A_folder_stands_for_what_is_beneath_it(string one, string other, bool conflict)
    {
        var first = await Enter(Read(one));
        var second = Enter(Write(other));

        Assert.Equal(conflict, !second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_waiting_lets_the_next_in()
    {
        var reader = await Enter(Read("/w/a"));
        using var impatient = new CancellationTokenSource();
        var writer = _gate.EnterAsync([Write("/w/a")], impatient.Token).AsTask();
        var late = Enter(Read("/w/a"));

        await impatient.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer);
        (await late).Dispose();
        reader.Dispose();
        reader.Dispose();
        Assert.Equal(0, _gate.Count);
    }

    [Fact]
    public async Task Many_who_need_the_same_two_files_in_any_order_never_stop_each_other_for_good()
    {
        var inside = new int[3];
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(worker =>
                    Task.Run(
                        async () =>
                        {
                            for (var i = 0; i < 300; i++)
                            {
                                int a = (worker + i) % 3,
                                    b = (worker + (2 * i) + 1) % 3;
                                using var pass = await Enter(Write($"/w/{a}"), Write($"/w/{b}"));
                                Assert.Equal(1, Interlocked.Increment(ref inside[a]));
                                await Task.Yield();
                                Interlocked.Decrement(ref inside[a]);
                            }
                        },
                        TestContext.Current.CancellationToken
                    )
                )
        );

        Assert.Equal(0, _gate.Count);
    }

    private static GateKey Read(string path) => new(path, IsWrite: false);

    private static GateKey Write(string path) => new(path, IsWrite: true);

    private Task<IDisposable> Enter(params GateKey[] keys) =>
        _gate.EnterAsync(keys, TestContext.Current.CancellationToken).AsTask();
}
