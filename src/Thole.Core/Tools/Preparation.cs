using Thole.Protocol;

namespace Thole.Core.Tools;

/// <summary>A call that is understood and has not run: or <see cref="Refusal"/>, where it cannot be understood.</summary>
public sealed record Preparation
{
    private Preparation() { }

    /// <summary>What a person reads in a list of calls: <c>Edit src/App.cs</c>.</summary>
    public string Title { get; private init; } = "";

    public IReadOnlyList<Touch> Touches { get; private init; } = [];

    /// <summary>The exact command, URL or path that a permission rule judges; null where there is none.</summary>
    public string? Subject { get; private init; }

    /// <summary>What the person is asked, where the call is itself a question.</summary>
    public IReadOnlyList<Question> Questions { get; private init; } = [];

    /// <summary>Wrong arguments are answered, not thrown.</summary>
    public ToolResult? Refusal { get; private init; }

    /// <summary>Runs the call. The list holds the person's answers to <see cref="Questions"/>, in order.</summary>
    public Func<IReadOnlyList<string>, CancellationToken, ValueTask<ToolResult>> RunAsync { get; private init; } =
        static (_, _) => throw new InvalidOperationException("A refused call does not run.");

    public static Preparation Ready(
        string title,
        IReadOnlyList<Touch> touches,
        string? subject,
        IReadOnlyList<Question> questions,
        Func<IReadOnlyList<string>, CancellationToken, ValueTask<ToolResult>> run
    ) =>
        new()
        {
            Title = title,
            Touches = touches,
            Subject = subject,
            Questions = questions,
            RunAsync = run,
        };

    public static Preparation Refused(string title, ToolResult refusal) => new() { Title = title, Refusal = refusal };
}
