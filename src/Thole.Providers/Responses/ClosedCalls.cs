using Thole.Core.Models;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Responses;

/// <summary>The calls of an answer that is over, each with what speaks against making it.</summary>
internal static class ClosedCalls
{
    /// <param name="wasCut">The output limit, or a filter, ended the answer: a call at its end may not be what the model meant.</param>
    public static IReadOnlyList<(OutputItem Item, CallProposed Proposed)> Of(IReadOnlyList<OutputItem> items, bool wasCut)
    {
        List<(OutputItem Item, CallProposed Proposed)> closed = [];
        Dictionary<string, CallProposed> byId = new(StringComparer.Ordinal);
        foreach (var item in items.Where(static item => item.IsCall))
        {
            var id = item.CallId ?? item.Id;
            var twin = id is null ? null : byId.GetValueOrDefault(id);
            if (twin is not null && twin.Name == item.Name && twin.Arguments == item.Arguments)
            {
                continue; // said twice, meant once
            }

            var isCut = item.Status is "incomplete" || (wasCut && (!item.IsDone || item == items[^1]));
            var problem =
                item.Name.Length == 0 ? "The call has no name: say which tool is meant."
                : twin is not null ? $"Two different calls came with the id {id}: make this one again."
                : isCut ? "The answer was cut before this call was whole: make it again, in smaller parts."
                : !JsonShape.AllowsAsWhole(item.Arguments) ? "The arguments of this call are not whole: make it again."
                : null;
            var proposed = new CallProposed(id, item.Name, item.Arguments, problem);
            closed.Add((item, proposed));
            if (id is not null)
            {
                byId.TryAdd(id, proposed);
            }
        }

        return closed;
    }
}
