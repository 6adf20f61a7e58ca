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
                foreach (var definition in SettingDefinitions.All)
                {
                    var value = settings.All.FirstOrDefault(value => value.Definition == definition);
                    writer.WriteStartObject();
                    writer.WriteString("setting", definition.Path);
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
        var width = SettingDefinitions.All.Max(definition => definition.Path.Length);
        foreach (var definition in SettingDefinitions.All)
        {
            var value = settings.All.FirstOrDefault(value => value.Definition == definition);
            Terminal.Output.WriteLine(
                value is null
                    ? $"{definition.Path.PadRight(width)}  (not set)"
                    : $"{definition.Path.PadRight(width)}  {Protocol.TerminalText.EscapeLine(value.Show())}  ({value.Origin})"
            );
        }

        Terminal.Output.Flush();
        return ExitCodes.Done;
    }
}
