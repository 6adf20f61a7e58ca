using System.Buffers;
using System.Security.Cryptography;
using Thole.Core.Workspaces.Native;

namespace Thole.Core.Workspaces;

/// <summary>Reads what is behind an open descriptor, within limits, whatever the file claims or becomes meanwhile.</summary>
internal static class FileContent
{
    private const int Portion = 128 * 1024;

    /// <summary>SHA-256 of the content, in lower-case hex.</summary>
    public static string Hash(Descriptor file, string shown)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Portion);
        try
        {
            long offset = 0;
            int count;
            while ((count = Libc.Read(file, buffer, offset)) > 0)
            {
                hash.AppendData(buffer, 0, count);
                offset += count;
            }

            if (count < 0)
            {
                throw Errno.WhileReading(Libc.LastError, shown);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The whole content, or null where it is longer than the limit: also where it grew while it was read.</summary>
    public static byte[]? Read(Descriptor file, long expected, long limit, string shown, CancellationToken cancellationToken)
    {
        if (expected > limit)
        {
            return null;
        }

        var most = (int)Math.Min(limit, Array.MaxLength - 1) + 1L;
        var content = new byte[Math.Min(expected + 1, most)];
        var length = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Libc.Read(file, content.AsSpan(length, Math.Min(content.Length - length, 1024 * 1024)), length);
            if (count < 0)
            {
                throw Errno.WhileReading(Libc.LastError, shown);
            }

            length += count;
            if (length > limit)
            {
                return null;
            }

            if (count == 0)
            {
                Array.Resize(ref content, length);
                return content;
            }

            if (length == content.Length)
            {
                Array.Resize(ref content, (int)Math.Min(Math.Max(2L * length, 4096), most));
            }
        }
    }
}
