using Thole.Core.Models;
using Thole.Providers.OpenAI;
using Thole.Providers.TextCalls;

namespace Thole.Providers.Probing;

/// <summary>
/// What a test found of a model at an endpoint. It chooses the parser and the repairs where the user's settings say nothing; what is
/// null was not found out, and is left to what we know of the model.
/// </summary>
public sealed record ModelProfile
{
    public required DateTimeOffset TestedAt { get; init; }

    /// <summary>How it writes calls that its server passes on as text.</summary>
    public TextCallFormat? TextCalls { get; init; }

    /// <summary>Whether reasoning comes as <c>&lt;think&gt;</c> at the beginning of the text.</summary>
    public bool? ThinksInText { get; init; }

    public bool? TakesImages { get; init; }

    public ChatRepairs? Repairs { get; init; }

    /// <summary>What was tried, and how it ended.</summary>
    public IReadOnlyList<ProbeRow> Rows { get; init; } = [];

    /// <summary>As settings, over what is known of the model without it.</summary>
    internal ModelSettings Settings(Modalities? known) =>
        new()
        {
            TextCalls = TextCalls,
            ThinksInText = ThinksInText,
            Repairs = Repairs,
            Takes = TakesImages switch
            {
                true => (known ?? Modalities.None) | Modalities.Image,
                false => (known ?? Modalities.None) & ~Modalities.Image,
                null => null,
            },
        };
}

/// <summary>Which model at which endpoint a profile is of.</summary>
/// <param name="Protocol">What is spoken there.</param>
/// <param name="Address">Scheme, host and path; neither names, passwords nor queries.</param>
public sealed record ProfilePlace(string Protocol, string Address, string Model)
{
    public override string ToString() => $"{Protocol} {Address} {Model}";
}

/// <summary>One thing that was tried.</summary>
/// <param name="Name">What was tried, in a word or two.</param>
/// <param name="Detail">Why, or what was measured: one line, with nothing in it that commands a terminal.</param>
public sealed record ProbeRow(string Name, ProbeOutcome Outcome, string Detail);

/// <summary>How a probe ended.</summary>
public enum ProbeOutcome
{
    Ok,

    /// <summary>It should work, and does not.</summary>
    NotOk,

    /// <summary>Nobody promised that it works.</summary>
    NotSupported,
}
