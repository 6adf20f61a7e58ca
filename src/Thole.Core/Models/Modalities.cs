namespace Thole.Core.Models;

/// <summary>What a model takes besides text.</summary>
[Flags]
public enum Modalities
{
    None = 0,
    Image = 1,
    Pdf = 2,
    Audio = 4,
    Video = 8,
}
