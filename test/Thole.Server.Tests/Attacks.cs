using System.Text.Json;
using Thole.Testing;

namespace Thole.Server.Tests;

/// <summary>Dictionaries of attacks that others collected; null where they do not lie beside the repository.</summary>
internal static class Attacks
{
    public static JsonElement? Document { get; } =
        Acceptance.Folder is { } folder && Path.Join(folder, "attacks", "dictionaries.json") is var path && File.Exists(path)
            ? JsonElement.Parse(File.ReadAllBytes(path))
            : null;

    public static IEnumerable<string> Texts(string name) =>
        Document is { } attacks ? attacks.GetProperty(name).EnumerateArray().Select(entry => entry.GetString()!) : [];
}
