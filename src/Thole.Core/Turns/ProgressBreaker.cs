using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Core.Turns;

internal enum Progress
{
    Made,

    /// <summary>The model is told.</summary>
    Doubtful,

    /// <summary>The turn is stopped.</summary>
    None,
}

/// <summary>
/// Notices a turn that goes in circles: calls whose results it has seen before. A step with any new result is progress, whatever
/// its size, so that long honest work is never stopped, and a loop of two or three calls is caught like a loop of one.
/// </summary>
internal sealed class ProgressBreaker
{
    private const int DoubtAfter = 3;
    private const int StopAfter = 6;

    // Digests: a long turn would otherwise hold every result it ever had.
    private readonly HashSet<UInt128> _seen = [];
    private int _stale;

    public Progress Judge(IEnumerable<(RequestedCall Call, ToolResult Result)> step)
    {
        var isNew = false;
        foreach (var (call, result) in step)
        {
            isNew |= _seen.Add(Digest($"{call.Call.Tool}\0{call.Call.Arguments}\0{result.Text}"));
        }

        _stale = isNew ? 0 : _stale + 1;
        return _stale switch
        {
            >= StopAfter => Progress.None,
            DoubtAfter => Progress.Doubtful,
            _ => Progress.Made,
        };
    }

    private static UInt128 Digest(string text) =>
        BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())));
}
