using System.Text.Json.Nodes;

namespace Thole.Core.Log;

/// <summary>
/// Turns the JSON of an event of version <paramref name="From"/> into that of the next version. Pure: the row on disk stays what
/// it was, and the same row gives the same event for ever.
/// </summary>
public sealed record EventUpgrade(string Type, int From, Func<JsonObject, JsonObject> Upgrade);

/// <summary>
/// Every change that a stored event ever went through, oldest first. An event's current version is one more than its last
/// upgrade, so that this list is all there is to edit.
/// </summary>
public static class EventUpgrades
{
    public static IReadOnlyList<EventUpgrade> All { get; } = [];
}
