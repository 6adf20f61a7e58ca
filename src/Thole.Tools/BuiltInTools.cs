using Thole.Core.Tools;

namespace Thole.Tools;

/// <summary>The hands we ship. To add one: write it in its own file, name it here.</summary>
public static class BuiltInTools
{
    public static IReadOnlyList<ITool> All { get; } = [];
}
