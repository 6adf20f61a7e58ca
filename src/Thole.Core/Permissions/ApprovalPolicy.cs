using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Core.Permissions;

/// <summary>
/// The approval mode as a judge: what is only read is allowed, what changes something is asked for, unless the mode or an allowed
/// tool says otherwise. Files that make something run when they change are asked for in every mode but yolo.
/// </summary>
public sealed class ApprovalPolicy : IPermissionPolicy
{
    private readonly IReadOnlyList<AllowedTool> _allowed;

    /// <param name="allowedTools">
    /// <c>tool</c> allows every call of it; <c>tool(subject)</c> only those whose subject — a command, path or URL — is exactly that.
    /// </param>
    /// <exception cref="FormatException">An entry is neither; the message says which.</exception>
    public ApprovalPolicy(IEnumerable<string> allowedTools) => _allowed = [.. allowedTools.Select(AllowedTool.Parse)];

    public Judgement Judge(ITool tool, Preparation call, ApprovalMode mode)
    {
        var makesSomethingRun = call.Touches.Any(touch => touch.IsWrite && touch.MakesSomethingRun);
        var isHarmless =
            tool.Kind is ToolKind.Read or ToolKind.Search or ToolKind.Think && !call.Touches.Any(touch => touch.IsWrite);
        return mode switch
        {
            _ when isHarmless => new Judgement(Verdict.Allow, ""),
            ApprovalMode.Plan => new Judgement(
                Verdict.Deny,
                $"In plan mode nothing is changed: {call.Title} was refused. Describe what you would do instead."
            ),
            ApprovalMode.Yolo => new Judgement(Verdict.Allow, ""),
            _ when makesSomethingRun => new Judgement(Verdict.Ask, $"{call.Title} (a change of this file can make programs run)"),
            _ when _allowed.Any(allowed => allowed.Covers(tool.Name, call.Subject)) => new Judgement(Verdict.Allow, ""),
            ApprovalMode.AutoEdit when tool.Kind is ToolKind.Edit => new Judgement(Verdict.Allow, ""),
            _ => new Judgement(Verdict.Ask, call.Title),
        };
    }

    private readonly record struct AllowedTool(string Tool, string? Subject)
    {
        public static AllowedTool Parse(string entry)
        {
            var open = entry.IndexOf('(', StringComparison.Ordinal);
            var tool = (open < 0 ? entry : entry[..open]).Trim();
            var isWellFormed = tool.Length > 0 && (open < 0 || (entry.EndsWith(')') && entry.Length > open + 2));
            return isWellFormed
                ? new AllowedTool(tool, open < 0 ? null : entry[(open + 1)..^1])
                : throw new FormatException($"'{entry}' is not an allowed tool: write its name, or name(exact command).");
        }

        // Equality, not a prefix: "git log" must not allow "git log && rm -rf /" or "git logout". Rules over parsed commands are a room of their own.
        public bool Covers(string tool, string? subject) =>
            string.Equals(tool, Tool, StringComparison.Ordinal)
            && (Subject is null || string.Equals(subject, Subject, StringComparison.Ordinal));
    }
}
