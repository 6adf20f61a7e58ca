using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>What the log says when the world refuses, each with its cure.</summary>
internal static class LogErrors
{
    public static RefusedException NotFound(SessionId session) =>
        new(
            "session_not_found",
            $"There is no session '{TerminalText.Escape(session.Value)}': 'thole sessions list --all' shows those there are."
        );

    public static RefusedException InUse(SessionId session) =>
        new("session_in_use", $"Session {session} is open in another thole: end it there first.");

    public static LogException Hopeless(string path, SessionId session) =>
        new(
            $"Nothing in the log '{path}' can be read: restore the file from a backup, or remove it with 'thole sessions delete {session}'."
        );

    public static LogException Damaged(string path, long after) =>
        new(
            $"The log '{path}' is damaged after event {after}: continue the session once ('thole --resume') and what can be read is salvaged; the damaged file is kept."
        );

    public static LogException DamagedBlob(string path, BlobId blob) =>
        new(
            $"A large output ({blob.Value[..12]}…) in the log '{path}' is damaged and cannot be shown: restore the file from a backup."
        );

    public static T Translate<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (DatabaseException refused)
        {
            throw Of(path, refused);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new LogException(
                $"The log '{path}' cannot be used: {refused.Message} Check the folder's permissions and free space.",
                refused
            );
        }
    }

    public static LogException Of(string path, DatabaseException refused) =>
        refused switch
        {
            { IsFull: true } => new LogException(
                $"The disk is full: nothing more can be written to '{path}'. Free some space and go on; nothing acknowledged is lost.",
                refused
            ),
            { IsCorrupt: true } => new LogException(
                $"The log '{path}' is damaged ({refused.Message}): open the session again and what can be read is salvaged.",
                refused
            ),
            { IsFailedSync: true } => new LogException(
                $"The disk did not confirm a write to '{path}' ({refused.Message}): check the disk, then open the session again.",
                refused
            ),
            _ => new LogException(
                $"The log '{path}' cannot be used ({refused.Message}): check its permissions, your quota and the disk.",
                refused
            ),
        };
}
