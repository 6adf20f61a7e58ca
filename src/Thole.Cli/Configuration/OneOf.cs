using System.CommandLine;

namespace Thole.Cli.Configuration;

/// <summary>An option that takes one of a few words, and says which in one sentence; the library's own sentence has many lines.</summary>
internal static class OneOf
{
    public static void Accept(Option option, IReadOnlyList<string> words)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !words.Contains(token.Value, StringComparer.Ordinal)) is { } wrong)
            {
                result.AddError($"'{wrong.Value}' will not do for {option.Name}; it must be one of {string.Join(", ", words)}.");
            }
        });
        option.CompletionSources.Add([.. words]);
    }
}
