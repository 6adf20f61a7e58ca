using System.Text.Json;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>The tokens of a message: a first count at its start, later ones over it.</summary>
internal sealed class MessageCounts
{
    private const long MostCredible = 1_000_000_000_000;

    private long? _input;
    private long? _output;
    private long? _cacheRead;
    private long? _cacheWrite;
    private long? _thinking;

    public void Begin(JsonElement? usage)
    {
        _input = _output = _cacheRead = _cacheWrite = _thinking = null;
        Take(usage);
    }

    public void Take(JsonElement? usage)
    {
        if (usage is not { ValueKind: JsonValueKind.Object } counted)
        {
            return;
        }

        Take(counted, "input_tokens", ref _input);
        Take(counted, "output_tokens", ref _output);
        Take(counted, "cache_read_input_tokens", ref _cacheRead);
        Take(counted, "cache_creation_input_tokens", ref _cacheWrite);
        Take(counted.Get("output_tokens_details") ?? counted, "thinking_tokens", ref _thinking);
    }

    /// <summary>On this wire what was read from a cache, or written to it, is not among the input.</summary>
    public Usage ToUsage() =>
        new(
            _input is null && _cacheRead is null && _cacheWrite is null
                ? null
                : (_input ?? 0) + (_cacheRead ?? 0) + (_cacheWrite ?? 0),
            _output,
            _cacheRead,
            _thinking,
            _cacheWrite
        );

    private static void Take(JsonElement usage, string name, ref long? count)
    {
        // Gateways that know a number at the start only say 0 at the end.
        if (usage.GetNumber(name) is >= 0 and < MostCredible and var told && (told > 0 || count is null))
        {
            count = told;
        }
    }
}
