namespace Thole.Core.Routing;

/// <summary>What a model is asked for. A role without a model of its own is the session's model's work.</summary>
public enum ModelRole
{
    /// <summary>The work itself.</summary>
    Main,

    /// <summary>Small things that must be quick: titles, summaries of a line.</summary>
    Fast,

    /// <summary>Work in plan mode.</summary>
    Plan,

    /// <summary>Reading and searching for somebody else.</summary>
    Explore,

    /// <summary>Judging what was done.</summary>
    Review,

    /// <summary>Saying what images, and other things that a model cannot take, show.</summary>
    Vision,

    /// <summary>Summarising an older part of the context.</summary>
    Compact,

    /// <summary>Deciding in a hook's place.</summary>
    Hook,
}
