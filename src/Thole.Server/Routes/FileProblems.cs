using Thole.Protocol;

namespace Thole.Server.Routes;

/// <summary>What is refused about files, in the form that clients of these routes know: the word is there twice, and so is the status.</summary>
internal static class FileProblems
{
    /// <summary>The handler, whose refusals become answers of that form.</summary>
    public static Func<Exchange, Task> Answering(Func<Exchange, Task> handle) =>
        async exchange =>
        {
            try
            {
                await handle(exchange);
            }
            catch (RefusedException refused)
            {
                throw Problem(StatusOf(refused.Reason), refused.Reason, refused.Reason, refused.Message);
            }
            catch (ProblemException unfit) when (unfit.Status == 400)
            {
                throw Problem(unfit.Status, unfit.Code, FileRefusals.ParseError, unfit.Message);
            }
        };

    private static ProblemException Problem(int status, string code, string kind, string message) =>
        new(status, code, message, ("errorKind", kind), ("status", status));

    private static int StatusOf(string reason) =>
        reason switch
        {
            FileRefusals.OutsideWorkspace
            or FileRefusals.SymlinkEscape
            or FileRefusals.ParseError
            or FileRefusals.InvalidArgument => 400,
            FileRefusals.PermissionDenied or RepositoryRefusals.Untrusted => 403,
            FileRefusals.NotFound or "tool_not_registered" => 404,
            FileRefusals.HashMismatch or FileRefusals.AlreadyExists => 409,
            FileRefusals.TooLarge => 413,
            FileRefusals.Binary or FileRefusals.TextNotFound or FileRefusals.AmbiguousText => 422,
            FileRefusals.IoError or RepositoryRefusals.NoGit => 503,
            _ => 409, // what cannot be, as things stand
        };
}
