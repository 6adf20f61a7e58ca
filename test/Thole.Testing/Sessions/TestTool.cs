using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Testing.Sessions;

/// <summary>A tool that does what the test says: <c>new TestTool("echo", async (arguments, token) => …)</c>.</summary>
public sealed class TestTool(string name, Func<string, CancellationToken, Task<ToolResult>> run) : ITool
{
    private int _runs;

    public TestTool(string name, string answer)
        : this(name, (_, _) => Task.FromResult(ToolResult.Ok(answer))) { }

    public int Runs => _runs;

    public string Name => name;
    public string Description => "Does what the test says.";
    public ToolKind Kind { get; init; } = ToolKind.Other;
    public string Schema => """{"type":"object"}""";

    /// <summary>From a call's arguments to what it touches.</summary>
    public Func<string, IReadOnlyList<Touch>> Touches { get; init; } = static _ => [];

    public Preparation Prepare(ToolCall call, ToolContext context) =>
        Preparation.Ready(
            $"{name} {call.Arguments}",
            Touches(call.Arguments),
            call.Arguments,
            [],
            async (_, cancellationToken) =>
            {
                Interlocked.Increment(ref _runs);
                return await run(call.Arguments, cancellationToken);
            }
        );
}
