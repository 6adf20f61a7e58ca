using Thole.Core.Models;

namespace Thole.Core.Tools;

/// <summary>The tools of a step: a snapshot, asked for anew at each step, because tools may come and go between steps.</summary>
public sealed class ToolBox
{
    private readonly Dictionary<string, ITool> _byName;

    /// <param name="tools">In any order: they are shown to the model by name, so that prompt caches hold.</param>
    public ToolBox(IEnumerable<ITool> tools)
    {
        _byName = tools.ToDictionary(tool => tool.Name, StringComparer.Ordinal);
        Definitions =
        [
            .. _byName
                .Values.OrderBy(tool => tool.Name, StringComparer.Ordinal)
                .Select(tool => new ToolDefinition(tool.Name, tool.Description, tool.Schema)),
        ];
    }

    public IReadOnlyList<ToolDefinition> Definitions { get; }

    public ITool? Find(string name) => _byName.GetValueOrDefault(name);
}
