namespace Thole.Protocol;

/// <summary>What a client may do; a token has several.</summary>
[Flags]
public enum Scope
{
    None = 0,

    /// <summary>See everything, change nothing.</summary>
    Observe = 1,

    /// <summary>Open sessions, send prompts and stop turns.</summary>
    Prompt = 2,

    /// <summary>Answer permission requests.</summary>
    Approve = 4,

    /// <summary>Everything that outlives a session: files, settings, the daemon itself.</summary>
    Administer = 8,

    All = Observe | Prompt | Approve | Administer,
}

/// <summary>A client by the name that its token proves.</summary>
public sealed record Identity(string Name, Scope Scopes)
{
    /// <summary>Which token proved it: a token that is issued again under an old name is another one.</summary>
    public string? Key { get; init; }

    public bool May(Scope scope) => (Scopes & scope) == scope;
}

/// <summary>Who a token belongs to. Doors ask at every request, and streams again while they are open.</summary>
public interface IAccessTokens
{
    /// <summary>Null for a token that is unknown, has expired or was revoked.</summary>
    Identity? Identify(string token);

    /// <summary>Whether the token that proved this identity still would.</summary>
    bool IsCurrent(Identity identity);
}

/// <summary>The words of scopes, in JSON and on the command line.</summary>
public static class ScopeWords
{
    private static readonly (Scope Scope, string Word)[] s_words =
    [
        (Scope.Observe, "observe"),
        (Scope.Prompt, "prompt"),
        (Scope.Approve, "approve"),
        (Scope.Administer, "administer"),
    ];

    public static IReadOnlyList<string> All { get; } = [.. s_words.Select(pair => pair.Word)];

    public static IReadOnlyList<string> Of(Scope scopes) =>
        [.. s_words.Where(pair => scopes.HasFlag(pair.Scope)).Select(pair => pair.Word)];

    /// <summary><see cref="Scope.None"/> where a word is none of ours.</summary>
    public static Scope Parse(string word) => s_words.FirstOrDefault(pair => pair.Word == word).Scope;
}
