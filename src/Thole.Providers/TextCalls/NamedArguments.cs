using System.Buffers;
using System.Text;
using System.Text.Json;
using Thole.Providers.Endpoints;

namespace Thole.Providers.TextCalls;

/// <summary>The arguments of one call, as they come by name and text.</summary>
internal sealed class NamedArguments
{
    private readonly List<(string Name, string Text)> _all = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>What is wrong with them; null where nothing is.</summary>
    public string? Problem { get; private set; }

    public bool Has(string name) => _names.Contains(name);

    public void Add(string name, string text)
    {
        if (!_names.Add(name))
        {
            Problem ??= $"The argument {OutsideText.ToLine(name, 100)} comes twice in this call: make it again.";
            return;
        }

        _all.Add((name, text));
    }

    public void Refuse(string problem) => Problem ??= problem;

    public string ToJson(ArgumentTypes types, string tool, bool isJsonElsewhere)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, WireText.Compact))
        {
            json.WriteStartObject();
            foreach (var (name, text) in _all)
            {
                json.WritePropertyName(name);
                types.Write(json, tool, name, text, isJsonElsewhere);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
