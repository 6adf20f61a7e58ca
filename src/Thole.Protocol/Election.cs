using System.Text.Json.Serialization;

namespace Thole.Protocol;

/// <summary>
/// Who decides a permission request; fixed when it is asked, so that nobody can join to change the majority. Identities are
/// counted, not connections: whoever has ten windows has one vote.
/// </summary>
/// <param name="Quorum">How many equal votes decide; 1 unless by consensus.</param>
/// <param name="Voters">The identities that may vote by consensus.</param>
/// <param name="Designated">The identity that may decide where the policy designates one.</param>
public sealed record Election(VotePolicy Policy, int Quorum, IReadOnlyList<string> Voters, string? Designated = null);

/// <summary>How a permission request is decided.</summary>
[JsonConverter(typeof(KebabCaseEnum<VotePolicy>))]
public enum VotePolicy
{
    /// <summary>The first answer decides.</summary>
    FirstResponder,

    /// <summary>Only whoever sent the prompt decides.</summary>
    Designated,

    /// <summary>A majority of those who were there when it was asked.</summary>
    Consensus,

    /// <summary>Only clients on this machine decide.</summary>
    LocalOnly,
}
