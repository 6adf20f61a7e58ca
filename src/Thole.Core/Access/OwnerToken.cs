using System.Text;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Access;

/// <summary>
/// The token of whoever starts the daemon: the one the environment gives, else one that is made once and kept where only its owner
/// can read it. It never stands in an argument or a URL.
/// </summary>
/// <param name="File">Where it is kept; null where the environment gave it.</param>
public sealed record OwnerToken(string Value, string? File)
{
    public const string Variable = "THOLE_SERVER_TOKEN";

    private const int Shortest = 16;

    /// <exception cref="RefusedException">The one given is too short, or cannot be sent in a header.</exception>
    /// <exception cref="WorkspaceException">The file cannot be read or written, or is not to be believed.</exception>
    public static async Task<OwnerToken> GetAsync(
        string? given,
        string folder,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (given is not null)
        {
            return Given(given);
        }

        var file = FileIn(folder, time);
        if (Parse(file.Read()) is not { } token)
        {
            token = TokenFile.NewToken();
            await file.UpdateAsync(
                content =>
                {
                    if (Parse(content) is { } other)
                    {
                        token = other; // another daemon was quicker
                        return null;
                    }

                    return Encoding.ASCII.GetBytes(token + "\n");
                },
                cancellationToken
            );
        }

        return new OwnerToken(token, file.Path);
    }

    /// <summary>The one that clients of the same user show; null where none was given and none has been made.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public static OwnerToken? Find(string? given, string folder, TimeProvider time)
    {
        if (given is not null)
        {
            return Given(given);
        }

        var file = FileIn(folder, time);
        return Parse(file.Read()) is { } token ? new OwnerToken(token, file.Path) : null;
    }

    private static OwnerToken Given(string given)
    {
        var trimmed = given.Trim();
        return trimmed.Length >= Shortest && trimmed.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0
            ? new OwnerToken(trimmed, null)
            : throw new RefusedException(
                "token_unusable",
                $"{Variable} needs at least {Shortest} characters, all of them visible ASCII; unset it to have a token made."
            );
    }

    private static StateFile FileIn(string folder, TimeProvider time) => new(Path.Join(folder, "owner-token"), time);

    private static string? Parse(byte[]? content) =>
        content is not null && Encoding.ASCII.GetString(content).Trim() is { Length: >= Shortest } token ? token : null;
}
