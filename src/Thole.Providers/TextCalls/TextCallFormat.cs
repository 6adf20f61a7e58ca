namespace Thole.Providers.TextCalls;

/// <summary>How a model writes its calls where the server passes on its text and does not read them out of it.</summary>
public enum TextCallFormat
{
    /// <summary><c>&lt;tool_call&gt;&lt;function=name&gt;&lt;parameter=key&gt;value&lt;/parameter&gt;&lt;/function&gt;&lt;/tool_call&gt;</c></summary>
    QwenCoder,

    /// <summary><c>&lt;tool_call&gt;{"name":…,"arguments":{…}}&lt;/tool_call&gt;</c></summary>
    Hermes,

    /// <summary><c>&lt;tool_call&gt;name&lt;arg_key&gt;key&lt;/arg_key&gt;&lt;arg_value&gt;value&lt;/arg_value&gt;&lt;/tool_call&gt;</c></summary>
    Glm,

    /// <summary>A section of calls, each with an id such as <c>functions.name:0</c> and a JSON object.</summary>
    KimiK2,

    /// <summary>A section of calls, each with a name and a JSON object.</summary>
    DeepSeekV31,
}

/// <summary>The formats by the words with which settings choose them.</summary>
public static class TextCallFormats
{
    private static readonly (string Word, TextCallFormat Format)[] s_words =
    [
        ("qwen3-coder-xml", TextCallFormat.QwenCoder),
        ("hermes", TextCallFormat.Hermes),
        ("glm-4", TextCallFormat.Glm),
        ("kimi-k2", TextCallFormat.KimiK2),
        ("deepseek-v3.1", TextCallFormat.DeepSeekV31),
    ];

    public static IReadOnlyList<string> Words { get; } = [.. s_words.Select(static known => known.Word)];

    public static string WordOf(TextCallFormat format) => s_words.First(known => known.Format == format).Word;

    /// <summary>Null for a word that names none.</summary>
    public static TextCallFormat? Find(string word) =>
        s_words
            .Where(known => known.Word.Equals(word, StringComparison.OrdinalIgnoreCase))
            .Select(static known => (TextCallFormat?)known.Format)
            .FirstOrDefault();
}
