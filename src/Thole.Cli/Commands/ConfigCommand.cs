using System.CommandLine;
using System.Text.Json;
using Thole.Cli.Configuration;

namespace Thole.Cli.Commands;

/// <summary><c>thole config show</c>: every effective value and where it came from, secrets masked.</summary>
internal static class ConfigCommand
{
    public static Command Create(Func<Settings> load)
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var show = new Command("show", "Print every effective setting and where it came from.") { json };
        show.SetAction(arguments => Show(load(), arguments.GetValue(json)));
        return new Command("config", "Look at the settings.") { show };
    }

    private static int Show(Settings settings, bool asJson)
    {
        if (asJson)
        {
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
            {
                writer.WriteStartArray();
                foreach (var (path, value) in Rows(settings))
                {
                    writer.WriteStartObject();
                    writer.WriteString("setting", path);
                    writer.WriteString("value", value?.Show());
                    writer.WriteString("level", value?.Level.ToString().ToLowerInvariant());
                    writer.WriteString("origin", value?.Origin);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }

            Terminal.Output.WriteLine(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
            Terminal.Output.Flush();
            return ExitCodes.Done;
        }

        Terminal.Output.WriteLine($"user settings     {settings.Locations.UserSettings}");
        Terminal.Output.WriteLine($"project settings  {Locations.ProjectSettings(settings.Workspace)}");
        Terminal.Output.WriteLine($"sessions          {settings.Locations.Sessions}");
        Terminal.Output.WriteLine();
        var rows = Rows(settings);
        var width = rows.Max(row => row.Path.Length);
        foreach (var (path, value) in rows)
        {
            Terminal.Output.WriteLine(
                value is null
                    ? $"{path.PadRight(width)}  (not set)"
                    : $"{path.PadRight(width)}  {Protocol.TerminalText.EscapeLine(value.Show())}  ({value.Origin})"
            );
        }

        Terminal.Output.Flush();
        return ExitCodes.Done;
    }

    /// <summary>Every setting; one with names as often as it is set, and once as a pattern where it is not.</summary>
    private static List<(string Path, SettingValue? Value)> Rows(Settings settings) =>
        [
            .. SettingDefinitions.All.SelectMany(definition =>
                settings
                    .ValuesOf(definition)
                    .Select(static value => (value.Path, (SettingValue?)value))
                    .DefaultIfEmpty((definition.Path, null))
            ),
        ];
}
