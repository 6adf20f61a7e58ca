using Thole.Protocol;

namespace Thole.Core.Context;

/// <summary>The words in <see cref="ContextAdded.Source"/> for what the runtime says itself; every other source is an instruction file.</summary>
internal static class ContextOrigin
{
    public const string SystemPrompt = "system_prompt";
    public const string Environment = "environment";
    public const string Notice = "runtime:notice";
    public const string Summary = "runtime:summary";

    public static bool IsInstructionFile(string source) => source is not (SystemPrompt or Environment or Notice or Summary);
}
