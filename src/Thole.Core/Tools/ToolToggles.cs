using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using Thole.Core.Workspaces;
using Thole.Protocol;

namespace Thole.Core.Tools;

/// <summary>
/// Which of our tools the sessions of a workspace have. Kept among our own state: a repository does not take tools away, and
/// does not give them back.
/// </summary>
public sealed partial class ToolToggles
{
    private const int LongestFile = 1 << 20;

    private readonly Lock _gate = new();
    private readonly string _file;
    private FrozenSet<string> _disabled;
    private volatile ToolBox _enabled;

    /// <param name="file">An absolute path; the file and its folder are made when they are needed.</param>
    /// <exception cref="WorkspaceException">The file does not say what was chosen: to forget it silently would give tools back.</exception>
    public ToolToggles(IReadOnlyList<ITool> tools, string file)
    {
        (All, _file) = (tools, file);
        _disabled = Read(file);
        _enabled = Box();
    }

    public IReadOnlyList<ITool> All { get; }

    /// <summary>What the next step may ask for.</summary>
    public ToolBox Enabled => _enabled;

    public bool IsEnabled(string name) => _enabled.Find(name) is not null;

    /// <summary>Remembers it, then does it.</summary>
    /// <exception cref="RefusedException">There is no tool of that name.</exception>
    /// <exception cref="WorkspaceException">It could not be remembered, and nothing changed.</exception>
    public void Set(string name, bool isEnabled)
    {
        if (!All.Any(tool => string.Equals(tool.Name, name, StringComparison.Ordinal)))
        {
            throw new RefusedException(
                ToolErrors.UnknownTool,
                "There is no tool of that name: use exactly one of the names in the list of tools."
            );
        }

        lock (_gate)
        {
            if (_disabled.Contains(name) != isEnabled)
            {
                return;
            }

            var disabled = isEnabled ? _disabled.Where(other => other != name) : _disabled.Append(name);
            var chosen = disabled.ToFrozenSet(StringComparer.Ordinal);
            Write(chosen);
            _disabled = chosen;
            _enabled = Box();
        }
    }

    private ToolBox Box() => new(All.Where(tool => !_disabled.Contains(tool.Name)));

    private void Write(IEnumerable<string> disabled)
    {
        FileWriter.CreateDirectory(Path.GetDirectoryName(_file)!);
        var choice = new Choice([.. disabled.Order(StringComparer.Ordinal)]);
        var writer = new FileWriter(TimeProvider.System) { NewFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        writer.Write(_file, JsonSerializer.SerializeToUtf8Bytes(choice, ToolTogglesJson.Default.Choice), Basis.Anything);
    }

    private static FrozenSet<string> Read(string file)
    {
        if (TrustedFile.Read(Path.GetDirectoryName(file)!, file, LongestFile) is not { } content)
        {
            return [];
        }

        try
        {
            return JsonSerializer
                .Deserialize(content, ToolTogglesJson.Default.Choice)!
                .Disabled.ToFrozenSet(StringComparer.Ordinal);
        }
        catch (JsonException damaged)
        {
            throw new WorkspaceException(
                ToolErrors.ReadFailed,
                $"{file} no longer says which tools are switched off: delete it, and switch them off again.",
                damaged
            );
        }
    }

    internal sealed record Choice(IReadOnlyList<string> Disabled);

    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true
    )]
    [JsonSerializable(typeof(Choice))]
    private sealed partial class ToolTogglesJson : JsonSerializerContext;
}
