using System.Text;
using System.Text.Json;
using Thole.Core.Workspaces;
using Thole.Protocol;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

public sealed class WorkspaceSpecs : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly Workspace _workspace;

    public WorkspaceSpecs() => _workspace = new Workspace(_scratch.Inside(), [], TimeProvider.System);

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("src/App.cs", "src/App.cs")]
    [InlineData("./src//./App.cs", "src/App.cs")]
    [InlineData("src/../App.cs", "App.cs")]
    [InlineData(".", "")]
    [InlineData("src/", "src")]
    [InlineData("100%25 sure.txt", "100%25 sure.txt")]
    [InlineData("~$report.docx", "~$report.docx")]
    [InlineData("./~root", "~root")]
    [InlineData("drivers/aux.c", "drivers/aux.c")]
    [InlineData("price in $HOMELAND", "price in $HOMELAND")]
    public void A_path_inside_is_what_it_says(string path, string relative) =>
        Assert.Equal(new WorkspacePath(_scratch.Inside(), relative), _workspace.Resolve(path));

    [Fact]
    public void An_absolute_path_inside_is_resolved_and_an_included_folder_is_inside()
    {
        var both = new Workspace(_scratch.Inside(), [_scratch.Outside()], TimeProvider.System);

        Assert.Equal("a/b", _workspace.Resolve(_scratch.Inside("a/b")).Relative);
        var included = new WorkspacePath(_scratch.Outside(), "x") { IsIncluded = true };
        Assert.Equal(included, both.Resolve(_scratch.Outside("x")));
        Assert.Equal(included, both.Resolve("../outside/x"));
        Assert.Equal(included, both.Resolve(included.Shown)); // what is shown leads back to the same file
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("../inside-out/x")]
    [InlineData("%252e%252e/x")]
    [InlineData("%e0%80%ae%e0%80%ae/x")]
    [InlineData("a\\..\\..\\x")]
    [InlineData("C:\\Windows\\x")]
    [InlineData("\\\\server\\share")]
    [InlineData("${HOME}/x")]
    [InlineData("nul")]
    [InlineData("src/COM1")]
    public void A_path_that_means_something_else_is_refused(string path) =>
        Assert.Throws<WorkspaceException>(() => _workspace.Resolve(path));

    [Fact]
    public async Task Every_hostile_path_of_the_dictionary_is_refused_or_asked_about()
    {
        var dictionary = Path.Join(Acceptance.Folder, "attacks/dictionaries.json");
        Assert.SkipUnless(File.Exists(dictionary), "needs the acceptance data: attacks/dictionaries.json");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: links");
        File.WriteAllText(_scratch.Outside("x"), "secret");
        File.CreateSymbolicLink(_scratch.Inside("link-to-outside"), _scratch.Outside());
        File.CreateSymbolicLink(_scratch.Inside("link-to-link-to-outside"), "link-to-outside");
        using var json = JsonDocument.Parse(File.ReadAllText(dictionary));
        string[] paths =
        [
            .. json.RootElement.GetProperty("workspace_paths_refuse").EnumerateArray().Select(path => path.GetString()!),
        ];

        var harmless = new List<string>();
        foreach (var path in paths)
        {
            try
            {
                var resolved = _workspace.Resolve(path);
                if (ProtectedPaths.IsProtected(resolved.Relative) && !ProtectedPaths.IsInGit(resolved.Relative))
                {
                    continue; // the permission policy asks
                }

                await Assert.ThrowsAsync<WorkspaceException>(async () => await ReadAsync(path));
                await WriteAsync(path, "mine", basedOn: null);
                harmless.Add(path);
            }
            catch (WorkspaceException) { }
        }

        Assert.Empty(harmless);
        Assert.Equal("secret", File.ReadAllText(_scratch.Outside("x")));
        Assert.Equal(["x"], Directory.GetFileSystemEntries(_scratch.Outside()).Select(Path.GetFileName));
        Assert.All(paths[^6..], path => Assert.True(ProtectedPaths.IsProtected(path), path));
    }

    [Theory]
    [InlineData(".git/hooks/pre-commit")]
    [InlineData(".git")]
    [InlineData(".GIT/config")]
    [InlineData("sub/.Git/config")]
    [InlineData("git~1/config")]
    [InlineData(".g\u200cit/config")]
    [InlineData(".git./config")]
    [InlineData(".git /config")]
    [InlineData(".git::$INDEX_ALLOCATION/config")]
    [InlineData("\uFEFF.git\u200d/config")]
    public async Task Nothing_is_written_into_git(string path)
    {
        var refused = await Assert.ThrowsAsync<WorkspaceException>(async () => await WriteAsync(path, "mine", basedOn: null));

        Assert.Equal(ToolErrors.PermissionDenied, refused.Error);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Inside()));
    }

    [Theory]
    [InlineData("innocent", "../inside/.git/hooks")]
    [InlineData("notes", ".github/workflows")]
    public async Task A_harmless_name_does_not_lead_to_what_runs(string link, string target)
    {
        Unix();
        Directory.CreateDirectory(_scratch.Inside(".git/hooks"));
        Directory.CreateDirectory(_scratch.Inside(".github/workflows"));
        Directory.CreateDirectory(_scratch.Inside("deep"));
        File.CreateSymbolicLink(_scratch.Inside($"deep/{link}"), Path.Join(_scratch.Inside(), target.Replace("../inside/", "")));

        var refused = await Assert.ThrowsAsync<WorkspaceException>(async () =>
            await WriteAsync($"deep/{link}/ci.yml", "mine", basedOn: null)
        );

        Assert.Equal(ToolErrors.PermissionDenied, refused.Error);
        Assert.Empty(Directory.GetFiles(_scratch.Inside(), "ci.yml", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(".bashrc")]
    [InlineData("home/.ZSHRC")]
    [InlineData(".vscode/tasks.json")]
    [InlineData(".idea/workspace.xml")]
    [InlineData(".husky/pre-commit")]
    [InlineData(".github/workflows/ci.yml")]
    [InlineData(".thole/settings.json")]
    [InlineData(".claude/settings.local.json")]
    [InlineData(".mcp.json")]
    [InlineData(".gitattributes")]
    [InlineData(".npm\u200brc")]
    [InlineData(".envrc.")]
    public void Files_that_make_something_run_are_known(string path) => Assert.True(ProtectedPaths.IsProtected(path));

    [Theory]
    [InlineData("src/App.cs")]
    [InlineData(".gitignore")]
    [InlineData("bashrc.md")]
    [InlineData(".vscode/notes.md")]
    [InlineData("docs/workflows/ci.yml")]
    [InlineData("git~x")]
    [InlineData(".claude/agents/reviewer.md")]
    public void Other_files_are_not(string path) => Assert.False(ProtectedPaths.IsProtected(path));

    [Fact]
    public async Task Links_are_followed_as_long_as_they_stay_inside()
    {
        Unix();
        _scratch.File("real/file");
        File.CreateSymbolicLink(_scratch.Inside("relative"), "real/../real");
        File.CreateSymbolicLink(_scratch.Inside("real/absolute"), _scratch.Inside("relative/file"));

        Assert.Equal("old", await ReadAsync("relative/file"));
        Assert.Equal("old", await ReadAsync("real/absolute"));
        await WriteAsync("real/absolute", "new", Scratch.Hash("old"));
        Assert.Equal("new", File.ReadAllText(_scratch.Inside("real/file")));
        Assert.Equal(FileKind.Directory, _workspace.Stat(_workspace.Resolve("relative"))!.Kind);
    }

    [Theory]
    [InlineData("absolute")]
    [InlineData("relative")]
    [InlineData("chain")]
    [InlineData("folder/secret")]
    [InlineData("dangling")]
    [InlineData("loop")]
    [InlineData("magic/secret")]
    public async Task Links_that_lead_out_or_nowhere_are_refused(string path)
    {
        Unix();
        File.WriteAllText(_scratch.Outside("secret"), "secret");
        File.CreateSymbolicLink(_scratch.Inside("absolute"), _scratch.Outside("secret"));
        File.CreateSymbolicLink(_scratch.Inside("relative"), "../outside/secret");
        File.CreateSymbolicLink(_scratch.Inside("chain"), "relative");
        File.CreateSymbolicLink(_scratch.Inside("folder"), "../outside");
        File.CreateSymbolicLink(_scratch.Inside("dangling"), "../outside/born");
        File.CreateSymbolicLink(_scratch.Inside("loop"), "loop");
        File.CreateSymbolicLink(_scratch.Inside("magic"), "/proc/self/root" + _scratch.Outside());

        await Assert.ThrowsAsync<WorkspaceException>(async () => await ReadAsync(path));
        await Assert.ThrowsAsync<WorkspaceException>(async () => await WriteAsync(path, "mine", basedOn: null));
        await Assert.ThrowsAsync<WorkspaceException>(async () => await WriteAsync(path, "mine", Scratch.Hash("secret")));
        await Assert.ThrowsAsync<WorkspaceException>(async () =>
            await _workspace.DeleteAsync(_workspace.Resolve(path), Scratch.Hash("secret"), TestContext.Current.CancellationToken)
        );
        Assert.Equal("secret", File.ReadAllText(_scratch.Outside("secret")));
        Assert.False(File.Exists(_scratch.Outside("born")));
    }

    [Fact]
    public async Task Pipes_sockets_devices_and_folders_are_refused_without_waiting()
    {
        Unix();
        Scratch.Run("mkfifo", _scratch.Inside("pipe"));
        Directory.CreateDirectory(_scratch.Inside("folder"));
        using var socket = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix,
            System.Net.Sockets.SocketType.Stream,
            System.Net.Sockets.ProtocolType.Unspecified
        );
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(_scratch.Inside("socket")));

        foreach (var path in (string[])["pipe", "socket"])
        {
            Assert.Equal(
                ToolErrors.NotRegularFile,
                (await Assert.ThrowsAsync<WorkspaceException>(async () => await ReadAsync(path))).Error
            );
            Assert.Equal(FileKind.Other, _workspace.Stat(_workspace.Resolve(path))!.Kind);
            await Assert.ThrowsAsync<WorkspaceException>(async () => await WriteAsync(path, "x", Scratch.Hash("")));
        }

        Assert.Equal(
            ToolErrors.IsDirectory,
            (await Assert.ThrowsAsync<WorkspaceException>(async () => await ReadAsync("folder"))).Error
        );
    }

    [Fact]
    public async Task A_file_is_read_within_the_limit_whatever_its_size_claims()
    {
        var path = _scratch.File("sparse", "");
        using (var file = File.OpenWrite(path))
        {
            file.SetLength(100L * 1024 * 1024 * 1024);
        }

        var refused = await Assert.ThrowsAsync<WorkspaceException>(async () => await ReadAsync("sparse"));

        Assert.Equal(ToolErrors.FileTooLarge, refused.Error);
        File.Delete(path);
        _scratch.File("exact", new string('x', 1000));
        Assert.Equal(1000, (await ReadAsync("exact")).Length);
        _scratch.File("exact", new string('x', 1001));
        await Assert.ThrowsAsync<WorkspaceException>(async () => await ReadAsync("exact"));
    }

    [Fact]
    public void A_long_file_is_streamed_and_a_folder_is_listed()
    {
        _scratch.File("folder/file", "text");
        Directory.CreateDirectory(_scratch.Inside("folder/inner"));

        using var reader = new StreamReader(_workspace.OpenRead(_workspace.Resolve("folder/file")));
        var entries = _workspace.List(_workspace.Resolve("folder"));

        Assert.Equal("text", reader.ReadToEnd());
        Assert.Equal(
            [new DirectoryEntry("file", FileKind.File), new DirectoryEntry("inner", FileKind.Directory)],
            entries.OrderBy(entry => entry.Name, StringComparer.Ordinal)
        );
        Assert.Null(_workspace.Stat(_workspace.Resolve("folder/absent")));
        Assert.Null(_workspace.Stat(_workspace.Resolve("folder/file/absent")));
        Assert.Equal(4, _workspace.Stat(_workspace.Resolve("folder/file"))!.Length);
        Assert.Throws<WorkspaceException>(() => _workspace.List(_workspace.Resolve("folder/file")));
        Assert.Throws<WorkspaceException>(() => _workspace.List(_workspace.Resolve("nowhere")));
    }

    [Fact]
    public async Task A_new_file_gets_its_folders_and_what_the_umask_leaves()
    {
        await WriteAsync("a/b/c/file", "new", basedOn: null);
        File.WriteAllText(_scratch.Inside("plain"), "");

        Assert.Equal("new", File.ReadAllText(_scratch.Inside("a/b/c/file")));
        Assert.Equal(Scratch.Mode(_scratch.Inside("plain")), Scratch.Mode(_scratch.Inside("a/b/c/file")));
        Assert.Equal(
            ToolErrors.AlreadyExists,
            (await Assert.ThrowsAsync<WorkspaceException>(async () => await WriteAsync("plain", "new", basedOn: null))).Error
        );
        await Assert.ThrowsAsync<WorkspaceException>(async () => await WriteAsync("plain/below", "new", basedOn: null));
        await Assert.ThrowsAsync<WorkspaceException>(async () => await WriteAsync("x/y", "new", Scratch.Hash("")));
        Assert.False(Directory.Exists(_scratch.Inside("x")));
    }

    [Fact]
    public async Task A_file_is_deleted_only_as_it_was_read()
    {
        var path = _scratch.File("file");
        var resolved = _workspace.Resolve("file");

        await Assert.ThrowsAsync<WorkspaceException>(async () =>
            await _workspace.DeleteAsync(resolved, Scratch.Hash("other"), TestContext.Current.CancellationToken)
        );
        Assert.True(File.Exists(path));
        await _workspace.DeleteAsync(resolved, Scratch.Hash("old"), TestContext.Current.CancellationToken);
        Assert.False(File.Exists(path));
        await Assert.ThrowsAsync<WorkspaceException>(async () =>
            await _workspace.DeleteAsync(resolved, Scratch.Hash("old"), TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task A_folder_that_keeps_turning_into_a_link_never_leads_out()
    {
        Unix();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: names are exchanged by renameat2");
        File.WriteAllText(_scratch.Outside("file"), "secret");
        _scratch.File("folder/file", "public");
        File.CreateSymbolicLink(_scratch.Inside("link"), _scratch.Outside());
        using var done = new CancellationTokenSource();
        var flips = 0;
        var flipper = Task.Run(
            () =>
            {
                using var inside = Core.Workspaces.Native.Libc.Open(
                    _scratch.Inside(),
                    Core.Workspaces.Native.OpenFlags.Directory
                );
                while (!done.IsCancellationRequested)
                {
                    Core.Workspaces.Native.Libc.Exchange(inside, "folder", "link");
                    flips++;
                }
            },
            TestContext.Current.CancellationToken
        );

        int read = 0,
            refused = 0;
        var path = _workspace.Resolve("folder/file");
        for (var i = 0; i < 20_000; i++)
        {
            try
            {
                if (i % 20 == 0)
                {
                    await _workspace.WriteAsync(
                        path,
                        "public"u8.ToArray(),
                        Scratch.Hash("public"),
                        TestContext.Current.CancellationToken
                    );
                }
                else
                {
                    Assert.Equal(
                        "public",
                        Encoding.UTF8.GetString(await _workspace.ReadAsync(path, 100, TestContext.Current.CancellationToken))
                    );
                }

                read++;
            }
            catch (WorkspaceException)
            {
                refused++;
            }
        }

        await done.CancelAsync();
        await flipper;
        Assert.True(read > 100 && refused > 100 && flips > 10_000, $"{read} read, {refused} refused, {flips} flips");
        Assert.Equal("secret", File.ReadAllText(_scratch.Outside("file")));
        Assert.Equal(["file"], Directory.GetFileSystemEntries(_scratch.Outside()).Select(Path.GetFileName));
    }

    [Fact]
    public void A_workspace_that_is_not_there_is_refused() =>
        Assert.Throws<WorkspaceException>(() => new Workspace(_scratch.Inside("nowhere"), [], TimeProvider.System));

    private async Task<string> ReadAsync(string path) =>
        Encoding.UTF8.GetString(
            await _workspace.ReadAsync(_workspace.Resolve(path), 1000, TestContext.Current.CancellationToken)
        );

    private ValueTask WriteAsync(string path, string content, string? basedOn) =>
        _workspace.WriteAsync(
            _workspace.Resolve(path),
            Encoding.UTF8.GetBytes(content),
            basedOn,
            TestContext.Current.CancellationToken
        );

    private static void Unix() => Assert.SkipWhen(OperatingSystem.IsWindows(), "needs Unix: links");
}
