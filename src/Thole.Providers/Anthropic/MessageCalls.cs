using System.Text.Json;
using Thole.Core.Models;

namespace Thole.Providers.Anthropic;

/// <summary>Judges which blocks of a message are calls that may be made.</summary>
internal static class MessageCalls
{
    /// <param name="wasCut">The output limit, or a filter, ended the answer: a call at its very end may not be what the model meant.</param>
    /// <returns>By their blocks, in the order of the blocks.</returns>
    public static OrderedDictionary<MessageBlock, CallProposed> Close(List<MessageBlock> blocks, bool wasCut)
    {
        var calls = new OrderedDictionary<MessageBlock, CallProposed>();
        foreach (var block in blocks.Where(static block => block.Kind is BlockKind.Call))
        {
            var twin = block.Id is null ? null : calls.Values.FirstOrDefault(other => other.ProviderId == block.Id);
            if (twin is not null && twin.Name == block.Name && twin.Arguments == block.Input)
            {
                continue; // said twice, meant once
            }

            var isWhole = block.IsStopped && IsJson(block.Input);
            var problem =
                block.Name.Length == 0 ? "The call has no name: say which tool is meant."
                : twin is not null ? $"Two different calls came with the id {block.Id}: make this one again."
                : wasCut && (!isWhole || block == blocks[^1])
                    ? "The answer was cut before this call was whole: make it again, in smaller parts."
                : !isWhole ? "The arguments of this call are not whole: make it again."
                : null;
            calls.Add(block, new CallProposed(block.Id, block.Name, block.Input, problem));
        }

        return calls;
    }

    public static bool IsJson(string input)
    {
        try
        {
            using var parsed = JsonDocument.Parse(input);
            return true;
        }
        catch (Exception malformed) when (malformed is JsonException or ArgumentException) // the latter: half a surrogate pair
        {
            return false;
        }
    }
}
