using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Tests.Workspaces;

public sealed class FileWriterSpecs : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly FileWriter _writer = new(TimeProvider.System);

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("plain", 0x1A4)]
    [InlineData("read only", 0x124)]
    [InlineData("private", 0x180)]
    [InlineData("setuid", 0x9ED)]
    [InlineData("setgid and sticky", 0x7FF)]
    [InlineData("nothing for anybody else", 0x1C0)]
    public void A_written_file_keeps_its_permissions(string kind, int mode)
    {
        Unix();
        var path = _scratch.File(kind);
        Scratch.SetMode(path, mode);

        Write(path, "new", Basis.Content(Scratch.Hash("old")));

        Assert.Equal(mode, Scratch.Mode(path));
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public void A_written_file_keeps_its_access_list()
    {
        Unix();
        var path = _scratch.File("acl");
        Scratch.Run("setfacl", "-m", "u:65534:rw,g:12:r,m::rw", path);
        var before = Scratch.Run("getfacl", "-cnp", path);

        Write(path, "new", Basis.Content(Scratch.Hash("old")));

        Assert.Equal(before, Scratch.Run("getfacl", "-cnp", path));
        Assert.Contains("user:65534:rw-", before, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_access_list_of_its_folder_does_not_come_over_an_existing_file()
    {
        Unix();
        var path = _scratch.File("shared/plain");
        Scratch.Run("setfacl", "-d", "-m", "u:65534:rwx", _scratch.Inside("shared"));
        var before = Scratch.Run("getfacl", "-cnp", path);

        Write(path, "new", Basis.Anything);
        Write(_scratch.Inside("shared/born"), "new", Basis.Nothing);

        Assert.Equal(before, Scratch.Run("getfacl", "-cnp", path));
        Assert.Contains("user:65534:", Scratch.Run("getfacl", "-cnp", _scratch.Inside("shared/born")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_written_file_keeps_its_attributes_and_its_security_label()
    {
        Unix();
        var path = _scratch.File("xattr");
        Scratch.Run("setfattr", "-n", "user.origin", "-v", "https://example.org", path);
        if (Environment.IsPrivilegedProcess)
        {
            Scratch.Run("setfattr", "-n", "security.label", "-v", "ours", path);
            Scratch.Run("setfattr", "-n", "trusted.mark", "-v", "ours", path);
        }

        var before = Scratch.Run("getfattr", "-d", "-m", "-", "--absolute-names", path);

        Write(path, "new", Basis.Content(Scratch.Hash("old")));

        Assert.Contains("user.origin", before, StringComparison.Ordinal);
        Assert.Equal(before, Scratch.Run("getfattr", "-d", "-m", "-", "--absolute-names", path));
    }

    [Fact]
    public void A_written_file_keeps_its_owner_and_group_and_setuid_with_them()
    {
        Unix();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: only root may give files away");
        var path = _scratch.File("theirs");
        Scratch.Run("chown", "65534:12", path);
        Scratch.SetMode(path, 0x9ED);

        Write(path, "new", Basis.Content(Scratch.Hash("old")));

        Assert.Equal("65534:12 4755\n", Scratch.Run("stat", "-c", "%u:%g %a", path));
        Assert.Equal("new", File.ReadAllText(path));
    }

    [Theory]
    [InlineData("a longer new content")]
    [InlineData("n")]
    [InlineData("")]
    public void A_file_with_two_names_keeps_both(string content)
    {
        Unix();
        var path = _scratch.File("one");
        Scratch.Run("ln", path, _scratch.Inside("two"));
        var inode = Scratch.Run("stat", "-c", "%i %h", path);

        Write(path, content, Basis.Content(Scratch.Hash("old")));

        Assert.Equal(content, File.ReadAllText(_scratch.Inside("two")));
        Assert.Equal(inode, Scratch.Run("stat", "-c", "%i %h", path));
        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public void A_file_with_two_names_is_refused_where_writing_in_place_is_not_allowed()
    {
        Unix();
        var path = _scratch.File("one");
        Scratch.Run("ln", path, _scratch.Inside("two"));

        var refused = Assert.Throws<WorkspaceException>(() =>
            new FileWriter(TimeProvider.System) { AllowInPlace = false }.Write(path, "new"u8, Basis.Anything)
        );

        Assert.Contains("hard links", refused.Message, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(path));
    }

    [Fact]
    public void Links_stay_links_and_what_they_lead_to_is_written()
    {
        Unix();
        var path = _scratch.File("deep/folder/real");
        File.CreateSymbolicLink(_scratch.Inside("deep/third"), "folder/real");
        File.CreateSymbolicLink(_scratch.Inside("second"), _scratch.Inside("deep/third"));
        File.CreateSymbolicLink(_scratch.Inside("deep/folder/first"), "../../second");
        File.CreateSymbolicLink(_scratch.Inside("shortcut"), "deep/folder");

        Write(_scratch.Inside("shortcut/first"), "new", Basis.Content(Scratch.Hash("old")));

        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal("../../second", new FileInfo(_scratch.Inside("deep/folder/first")).LinkTarget);
        Assert.Equal("folder/real", new FileInfo(_scratch.Inside("deep/third")).LinkTarget);
        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public void A_dangling_link_leads_to_a_new_file()
    {
        Unix();
        File.CreateSymbolicLink(_scratch.Inside("dangling"), "born");

        Write(_scratch.Inside("dangling"), "new", Basis.Nothing);

        Assert.Equal("new", File.ReadAllText(_scratch.Inside("born")));
        Assert.Equal("born", new FileInfo(_scratch.Inside("dangling")).LinkTarget);
    }

    [Fact]
    public void A_loop_of_links_is_refused()
    {
        Unix();
        File.CreateSymbolicLink(_scratch.Inside("a"), "b");
        File.CreateSymbolicLink(_scratch.Inside("b"), "a");

        var refused = Assert.Throws<WorkspaceException>(() => Write(_scratch.Inside("a"), "new", Basis.Anything));

        Assert.Contains("circle", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_place_that_a_link_leads_to_is_checked_first()
    {
        Unix();
        File.WriteAllText(_scratch.Outside("secret"), "old");
        File.CreateSymbolicLink(_scratch.Inside("second"), _scratch.Outside("secret"));
        File.CreateSymbolicLink(_scratch.Inside("first"), "second");
        var seen = new List<string>();
        var writer = new FileWriter(TimeProvider.System)
        {
            CheckTarget = path =>
            {
                seen.Add(path);
                if (path == _scratch.Outside("secret"))
                {
                    throw new WorkspaceException(ToolErrors.OutsideWorkspace, "no");
                }
            },
        };

        Assert.Throws<WorkspaceException>(() => writer.Write(_scratch.Inside("first"), "new"u8, Basis.Anything));

        Assert.Equal([_scratch.Inside("first"), _scratch.Inside("second"), _scratch.Outside("secret")], seen);
        Assert.Equal("old", File.ReadAllText(_scratch.Outside("secret")));
    }

    [Fact]
    public void A_mounted_file_is_refused_with_the_reason()
    {
        Unix();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux: bind mounts");
        var path = _scratch.File("mounted");
        File.WriteAllText(_scratch.Outside("real"), "old");
        Scratch.Run("mount", "--bind", _scratch.Outside("real"), path);
        try
        {
            var refused = Assert.Throws<WorkspaceException>(() => Write(path, "new", Basis.Content(Scratch.Hash("old"))));

            Assert.Contains("mount", refused.Message, StringComparison.Ordinal);
            Assert.Equal("old", File.ReadAllText(path));
        }
        finally
        {
            Scratch.Run("umount", path);
        }

        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public void A_file_in_a_mounted_folder_is_replaced_there()
    {
        Unix();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux: bind mounts");
        Directory.CreateDirectory(_scratch.Inside("mounted"));
        File.WriteAllText(_scratch.Outside("file"), "old");
        Scratch.Run("mount", "--bind", _scratch.Outside(), _scratch.Inside("mounted"));
        try
        {
            Write(_scratch.Inside("mounted/file"), "new", Basis.Content(Scratch.Hash("old")));

            Assert.Equal("new", File.ReadAllText(_scratch.Outside("file")));
        }
        finally
        {
            Scratch.Run("umount", _scratch.Inside("mounted"));
        }
    }

    [Fact]
    public void A_folder_that_takes_no_new_file_is_named_with_the_cure()
    {
        Unix();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux: chattr");
        var path = _scratch.File("sealed/file");
        Scratch.Run("chattr", "+i", _scratch.Inside("sealed"));
        try
        {
            var refused = Assert.Throws<WorkspaceException>(() => Write(path, "new", Basis.Anything));

            Assert.Equal(ToolErrors.PermissionDenied, refused.Error);
            Assert.Contains("chmod u+w", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Scratch.Run("chattr", "-i", _scratch.Inside("sealed"));
        }
    }

    [Fact]
    public void A_full_disk_leaves_the_old_content_and_nothing_beside_it()
    {
        Unix();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux: mounts");
        Directory.CreateDirectory(_scratch.Inside("small"));
        Scratch.Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", _scratch.Inside("small"));
        try
        {
            var path = _scratch.File("small/file");
            Scratch.Run("ln", _scratch.File("small/one"), _scratch.Inside("small/two"));

            foreach (var name in (string[])["small/file", "small/one"])
            {
                var refused = Assert.Throws<WorkspaceException>(() =>
                    Write(_scratch.Inside(name), new string('n', 100_000), Basis.Content(Scratch.Hash("old")))
                );

                Assert.Equal(ToolErrors.NoSpace, refused.Error);
                Assert.Equal("old", File.ReadAllText(_scratch.Inside(name)));
            }

            Assert.Empty(_scratch.Leftovers());
            Assert.Equal("old", File.ReadAllText(path));
        }
        finally
        {
            Scratch.Run("umount", _scratch.Inside("small"));
        }
    }

    [Fact]
    public void A_changed_file_is_a_conflict_and_is_not_touched()
    {
        var path = _scratch.File("file", "theirs");

        var refused = Assert.Throws<WorkspaceException>(() => Write(path, "new", Basis.Content(Scratch.Hash("old"))));

        Assert.Equal(ToolErrors.ChangedSinceRead, refused.Error);
        Assert.Equal("theirs", File.ReadAllText(path));
        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public void A_deleted_file_is_a_conflict_and_does_not_come_back()
    {
        var refused = Assert.Throws<WorkspaceException>(() =>
            Write(_scratch.Inside("gone"), "new", Basis.Content(Scratch.Hash("old")))
        );

        Assert.Equal(ToolErrors.ChangedSinceRead, refused.Error);
        Assert.Empty(Directory.GetFiles(_scratch.Inside()));
    }

    [Fact]
    public void A_new_file_is_never_put_over_another()
    {
        var path = _scratch.File("file", "theirs");

        var refused = Assert.Throws<WorkspaceException>(() => Write(path, "new", Basis.Nothing));

        Assert.Equal(ToolErrors.AlreadyExists, refused.Error);
        Assert.Equal("theirs", File.ReadAllText(path));
    }

    [Fact]
    public void State_is_made_for_its_owner_alone()
    {
        Unix();
        var folder = _scratch.Inside("state/of/ours");
        FileWriter.CreateDirectory(folder);
        var path = Path.Join(folder, "secret");
        new FileWriter(TimeProvider.System) { NewFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }.Write(
            path,
            "new"u8,
            Basis.Anything
        );

        Assert.Equal(0x180, Scratch.Mode(path));
        Assert.Equal(0x1C0, Scratch.Mode(folder));
        Assert.Equal(0x1C0, Scratch.Mode(_scratch.Inside("state")));

        FileWriter.Delete(path);
        FileWriter.Delete(path);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Old_temporary_files_of_ours_are_swept_and_nothing_else()
    {
        Unix();
        var long_ago = DateTime.UtcNow.AddHours(-1);
        string[] names = [".thole-0123456789abcdef.tmp", ".thole-fedcba9876543210.tmp", ".thole-notours.tmp", "file.tmp"];
        foreach (var name in names)
        {
            File.SetLastWriteTimeUtc(_scratch.File(name), long_ago);
        }

        File.SetLastWriteTimeUtc(_scratch.Inside(names[1]), DateTime.UtcNow);

        _writer.Recover(_scratch.Inside());

        Assert.False(File.Exists(_scratch.Inside(names[0])));
        Assert.All(names[1..], name => Assert.True(File.Exists(_scratch.Inside(name))));
    }

    [Fact]
    public async Task A_reader_at_full_speed_sees_whole_versions_only()
    {
        Unix();
        var path = _scratch.File("file", new string('a', 50_000));
        using var done = new CancellationTokenSource();
        var versions = 0;
        var reader = Task.Factory.StartNew(
            () =>
            {
                while (!done.IsCancellationRequested)
                {
                    var text = File.ReadAllText(path);
                    Assert.Equal(50_000, text.Length);
                    Assert.True(text.AsSpan().IndexOfAnyExcept(text[0]) < 0, "torn");
                    Interlocked.Increment(ref versions);
                }
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );

        var last = new string('a', 50_000);
        for (var i = 1; (i <= 300 || Volatile.Read(ref versions) < 300) && !reader.IsCompleted; i++)
        {
            var next = new string((char)('a' + (i % 26)), 50_000);
            Write(path, next, i % 2 == 0 ? Basis.Anything : Basis.Content(Scratch.Hash(last)));
            last = next;
        }

        await done.CancelAsync();
        await reader;
        Assert.Empty(_scratch.Leftovers());
    }

    [Fact]
    public async Task What_another_editor_saves_meanwhile_is_never_lost_silently()
    {
        Unix();
        var path = _scratch.File("file", "0");
        var aside = _scratch.Outside("aside");
        using var start = new Barrier(2);
        const int Rounds = 1000;

        // The other editor replaces the file by rename, at any moment of our write.
        var editor = Task.Run(
            () =>
            {
                for (var i = 1; i <= Rounds; i++)
                {
                    File.WriteAllText(aside, $"theirs {i}");
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                    Thread.SpinWait(Random.Shared.Next(20_000));
                    File.Move(aside, path, overwrite: true);
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                }
            },
            TestContext.Current.CancellationToken
        );

        int conflicts = 0,
            overwritten = 0;
        for (var i = 1; i <= Rounds; i++)
        {
            var before = File.ReadAllText(path);
            start.SignalAndWait(TestContext.Current.CancellationToken);
            var wrote = true;
            try
            {
                Write(path, $"ours {i}", Basis.Content(Scratch.Hash(before)));
            }
            catch (WorkspaceException conflict)
            {
                Assert.Equal(ToolErrors.ChangedSinceRead, conflict.Error);
                wrote = false;
                conflicts++;
            }

            start.SignalAndWait(TestContext.Current.CancellationToken);

            // Theirs came last, or we were told; that ours stands while theirs is gone must not happen.
            var kept = Directory.GetFiles(_scratch.Inside(), "file.conflict-*");
            var theirs =
                File.ReadAllText(path) == $"theirs {i}" || Array.Exists(kept, file => File.ReadAllText(file) == $"theirs {i}");
            Assert.True(theirs, $"round {i}: their version is lost, ours was {(wrote ? "written" : "refused")}");
            overwritten += wrote ? 1 : 0;
        }

        await editor;
        Assert.True(conflicts > 0 && overwritten > 0, $"{conflicts} conflicts, {overwritten} writes: the race did not happen");
        Assert.Empty(_scratch.Leftovers());
    }

    private void Write(string path, string content, Basis basis) => _writer.Write(path, Encoding.UTF8.GetBytes(content), basis);

    private static void Unix() => Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: permissions and links");
}
