using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Thole.Core.Log;

/// <summary>
/// An event as it lies on disk. <paramref name="At"/> are UTC ticks, <paramref name="Payload"/> is JSON in UTF-8, and
/// <paramref name="Hash"/> chains the event to the one before.
/// </summary>
internal sealed record EventRow(long Number, long At, string Type, int Version, string Actor, byte[] Payload, byte[] Hash)
{
    /// <summary>What the first event of a log is chained to.</summary>
    public static ReadOnlySpan<byte> Root => new byte[SHA256.HashSizeInBytes];

    public bool Follows(ReadOnlySpan<byte> previous) => ComputeHash(previous).AsSpan().SequenceEqual(Hash);

    /// <summary>
    /// SHA-256 over the hash before and every field, each text with its length in front, so that no two different rows have
    /// the same encoding.
    /// </summary>
    public byte[] ComputeHash(ReadOnlySpan<byte> previous)
    {
        var length =
            previous.Length + 20 + 12 + Encoding.UTF8.GetByteCount(Type) + Encoding.UTF8.GetByteCount(Actor) + Payload.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var rest = buffer.AsSpan(0, length);
            previous.CopyTo(rest);
            rest = rest[previous.Length..];
            BinaryPrimitives.WriteInt64BigEndian(rest, Number);
            BinaryPrimitives.WriteInt64BigEndian(rest[8..], At);
            BinaryPrimitives.WriteInt32BigEndian(rest[16..], Version);
            rest = rest[20..];
            rest = rest[WriteText(rest, Type)..];
            rest = rest[WriteText(rest, Actor)..];
            BinaryPrimitives.WriteInt32BigEndian(rest, Payload.Length);
            Payload.CopyTo(rest[4..]);
            return SHA256.HashData(buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int WriteText(Span<byte> target, string text)
    {
        var written = Encoding.UTF8.GetBytes(text, target[4..]);
        BinaryPrimitives.WriteInt32BigEndian(target, written);
        return written + 4;
    }
}
