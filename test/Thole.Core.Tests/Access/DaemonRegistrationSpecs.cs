using System.Text;
using Thole.Core.Access;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Access;

public sealed class DaemonRegistrationSpecs : IDisposable
{
    private static readonly DaemonRecord s_record = new(
        "/w",
        "http://127.0.0.1:4170",
        7,
        DateTimeOffset.UnixEpoch,
        "0.1.0",
        "AB"
    );

    private readonly TempFolder _folder = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Who_asks_finds_the_daemon_while_it_lives_and_no_longer()
    {
        Assert.Null(Find());
        using (var registration = await TakeAsync())
        {
            Assert.NotNull(registration);
            Assert.Null(Find());
            await registration.PublishAsync(s_record, Now);
            Assert.Equal(s_record, Find());
            Assert.Null(Find("/elsewhere"));
        }

        Assert.Null(Find());
    }

    [Fact]
    public async Task A_second_daemon_of_a_workspace_is_none()
    {
        using var first = await TakeAsync();
        Assert.Null(await TakeAsync());
        using var other = await TakeAsync("/elsewhere");
        Assert.NotNull(other);
    }

    [Fact]
    public async Task What_a_dead_daemon_said_of_itself_is_not_believed_of_one_that_starts()
    {
        using (var dead = await TakeAsync())
        {
            await dead!.PublishAsync(s_record, Now);
        }

        using var starting = await TakeAsync();
        Assert.NotNull(starting);
        Assert.Null(Find());
        await starting.PublishAsync(s_record with { Address = "http://127.0.0.1:5" }, Now);
        Assert.Equal("http://127.0.0.1:5", Find()?.Address);
    }

    [Fact]
    public async Task Clients_show_the_token_that_is_there_and_make_none()
    {
        Assert.Null(OwnerToken.Find(null, _folder.Path, TimeProvider.System));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
        var made = await OwnerToken.GetAsync(null, _folder.Path, TimeProvider.System, Now);
        Assert.Equal(made, OwnerToken.Find(null, _folder.Path, TimeProvider.System));
        Assert.Equal(
            "given-by-the-environment",
            OwnerToken.Find("given-by-the-environment\n", _folder.Path, TimeProvider.System)?.Value
        );
        Assert.Throws<RefusedException>(() => OwnerToken.Find("short", _folder.Path, TimeProvider.System));
    }

    [Fact]
    public void A_token_that_others_could_have_written_is_not_shown()
    {
        _folder.Write("owner-token", Encoding.ASCII.GetBytes("a-token-that-anybody-could-have-put-here\n"));
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows keeps others out of the folder");
        }
        else
        {
            File.SetUnixFileMode(_folder.File("owner-token"), (UnixFileMode)0x1B4);
        }

        Assert.Throws<WorkspaceException>(() => OwnerToken.Find(null, _folder.Path, TimeProvider.System));
    }

    private Task<DaemonRegistration?> TakeAsync(string workspace = "/w") =>
        DaemonRegistration.TryTakeAsync(_folder.File("daemons"), workspace, TimeProvider.System, Now);

    private DaemonRecord? Find(string workspace = "/w") =>
        DaemonRegistration.Find(_folder.File("daemons"), workspace, TimeProvider.System);
}
