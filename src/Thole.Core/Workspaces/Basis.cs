namespace Thole.Core.Workspaces;

/// <summary>What a write expects to find and replace; anything else is a conflict, and nothing is written.</summary>
public readonly record struct Basis
{
    private Basis(string? hash, bool isNothing) => (Hash, IsNothing) = (hash, isNothing);

    /// <summary>Whatever there is, or nothing: for state that only we write.</summary>
    public static Basis Anything { get; }

    /// <summary>There must be no file.</summary>
    public static Basis Nothing { get; } = new(null, isNothing: true);

    /// <summary>The SHA-256 that the content must have, in hex; null for no condition.</summary>
    public string? Hash { get; }

    public bool IsNothing { get; }

    public static Basis Content(string sha256) => new(sha256, isNothing: false);
}
