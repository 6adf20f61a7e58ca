namespace Thole.Protocol;

/// <summary>What a converter of ours writes is text: whoever describes our JSON to others cannot see it otherwise.</summary>
public interface IJsonText
{
    /// <summary>The words it can be; empty for any text.</summary>
    IReadOnlyList<string> Words { get; }
}
