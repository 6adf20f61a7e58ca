using Thole.Protocol;

namespace Thole.Core.Tools;

/// <summary>
/// Something the model may ask for. First it is prepared, so that policy, gate, hook and screen see parsed arguments and what
/// they touch; then it runs. A failed <see cref="ToolResult"/> tells the model; throwing is a defect and ends the turn.
/// </summary>
public interface ITool
{
    /// <summary>Snake case; the model's word for it.</summary>
    string Name { get; }

    /// <summary>Short: every request carries it.</summary>
    string Description { get; }

    ToolKind Kind { get; }

    /// <summary>JSON Schema of the arguments, compact, sent to the model as it stands and used to check what it sends back.</summary>
    string Schema { get; }

    /// <summary>Parses and checks the arguments, without any effect.</summary>
    Preparation Prepare(ToolCall call, ToolContext context);
}
