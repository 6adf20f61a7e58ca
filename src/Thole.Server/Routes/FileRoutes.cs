using Thole.Protocol;

namespace Thole.Server.Routes;

/// <summary>The files of the workspace: read by whoever may observe, changed by whoever may administer.</summary>
internal static class FileRoutes
{
    private static readonly Parameter s_path = FileParameters.Text("path", "Relative to the workspace; . for its root.") with
    {
        IsRequired = true,
    };

    private static readonly Parameter s_includeIgnored = FileParameters.Flag(
        "includeIgnored",
        "Also what ignore files leave out."
    );

    public static IReadOnlyList<Operation> Create(IWorkspaceFiles files) =>
        [
            new("GET", "/file", "readFile", Scope.Observe, "Part of a text file, with the hash that a change of it needs.")
            {
                Parameters =
                [
                    s_path,
                    FileParameters.Number("maxBytes", "Of the content, as UTF-8.", 1, FileLimits.MaxReadBytes),
                    FileParameters.Number("line", "The first one shown, counted from 1.", 1, int.MaxValue),
                    FileParameters.Number("limit", "At most so many lines.", 1, FileLimits.MaxLines),
                    FileParameters.Text("cursor", "The nextCursor of the part before, instead of line."),
                ],
                Head = Kind("file"),
                Reply = WorkspaceJson.Default.FileText,
                Errors = [409, 422, 503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await files.ReadTextAsync(exchange.Query("path")!, WindowOf(exchange), exchange.Aborted),
                        WorkspaceJson.Default.FileText
                    )
                ),
            },
            new("GET", "/file/bytes", "readFileBytes", Scope.Observe, "Part of any file, in Base64.")
            {
                Parameters =
                [
                    s_path,
                    FileParameters.Number("offset", "How many bytes lie before it.", 0, long.MaxValue),
                    FileParameters.Number("maxBytes", "How many bytes it has at most.", 1, FileLimits.MaxReadBytes),
                ],
                Head = Kind("file_bytes"),
                Reply = WorkspaceJson.Default.FileBytes,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await files.ReadBytesAsync(
                            exchange.Query("path")!,
                            exchange.QueryNumber("offset") ?? 0,
                            (int)(exchange.QueryNumber("maxBytes") ?? FileLimits.DefaultWindowBytes),
                            exchange.Aborted
                        ),
                        WorkspaceJson.Default.FileBytes
                    )
                ),
            },
            new("GET", "/stat", "statFile", Scope.Observe, "What lies at a path.")
            {
                Parameters = [s_path],
                Head = Kind("stat"),
                Reply = WorkspaceJson.Default.FileStat,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await files.StatAsync(exchange.Query("path")!, exchange.Aborted),
                        WorkspaceJson.Default.FileStat
                    )
                ),
            },
            new("GET", "/list", "listFolder", Scope.Observe, "What a folder holds, by name.")
            {
                Parameters = [s_path, s_includeIgnored],
                Head = Kind("list"),
                Reply = WorkspaceJson.Default.FolderListing,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await files.ListAsync(exchange.Query("path")!, exchange.QueryFlag("includeIgnored"), exchange.Aborted),
                        WorkspaceJson.Default.FolderListing
                    )
                ),
            },
            new("GET", "/glob", "globFiles", Scope.Observe, "Paths that match a pattern such as src/**/*.cs.")
            {
                Parameters =
                [
                    FileParameters.Text("pattern", "Relative to cwd.") with
                    {
                        IsRequired = true,
                    },
                    FileParameters.Text("cwd", "The folder it begins at, default the workspace."),
                    s_includeIgnored,
                    FileParameters.Number("maxResults", "At most so many.", 1, FileLimits.MaxMatches),
                ],
                Head = Kind("glob"),
                Reply = WorkspaceJson.Default.GlobMatches,
                Errors = [503],
                Handle = FileProblems.Answering(async exchange =>
                    await exchange.ReplyAsync(
                        await files.GlobAsync(QueryOf(exchange), exchange.Aborted),
                        WorkspaceJson.Default.GlobMatches
                    )
                ),
            },
            new("POST", "/file/write", "writeFile", Scope.Administer, "Makes a file, or replaces one whose hash is known.")
            {
                Request = WorkspaceJson.Default.FileWrite,
                Head = Kind("file_write"),
                Reply = WorkspaceJson.Default.FileWritten,
                OtherStatus = 201,
                Errors = [409, 422, 503],
                Handle = FileProblems.Answering(async exchange =>
                {
                    var request = await exchange.ReadAsync(WorkspaceJson.Default.FileWrite);
                    var written = await files.WriteAsync(
                        request with
                        {
                            MayMakeProgramsRun = MayMakeProgramsRun(exchange),
                        },
                        exchange.Aborted
                    );
                    await exchange.ReplyAsync(written, WorkspaceJson.Default.FileWritten, written.Created ? 201 : 200);
                }),
            },
            new(
                "POST",
                "/file/edit",
                "editFile",
                Scope.Administer,
                "Replaces a text that occurs once in a file whose hash is known."
            )
            {
                Request = WorkspaceJson.Default.FileEdit,
                Head = Kind("file_edit"),
                Reply = WorkspaceJson.Default.FileEdited,
                Errors = [409, 422, 503],
                Handle = FileProblems.Answering(async exchange =>
                {
                    var request = await exchange.ReadAsync(WorkspaceJson.Default.FileEdit);
                    var edited = await files.EditAsync(
                        request with
                        {
                            MayMakeProgramsRun = MayMakeProgramsRun(exchange),
                        },
                        exchange.Aborted
                    );
                    await exchange.ReplyAsync(edited, WorkspaceJson.Default.FileEdited);
                }),
            },
        ];

    private static bool MayMakeProgramsRun(Exchange exchange) => exchange.Identity.May(Scope.Administer);

    private static TextWindow WindowOf(Exchange exchange) =>
        new()
        {
            MaxBytes = (int)(exchange.QueryNumber("maxBytes") ?? FileLimits.MaxReadBytes),
            Line = exchange.QueryNumber("line") ?? 1,
            Limit = (int?)exchange.QueryNumber("limit"),
            Cursor = exchange.Query("cursor"),
        };

    private static GlobQuery QueryOf(Exchange exchange) =>
        new(exchange.Query("pattern")!)
        {
            Cwd = exchange.Query("cwd") is { Length: > 0 } folder ? folder : ".",
            IncludeIgnored = exchange.QueryFlag("includeIgnored"),
            MaxResults = (int)(exchange.QueryNumber("maxResults") ?? FileLimits.DefaultMatches),
        };

    private static ReplyHead Kind(string kind) => new(new ReplyMember("kind", kind));
}
