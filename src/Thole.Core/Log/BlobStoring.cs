using Thole.Protocol;

namespace Thole.Core.Log;

/// <summary>Keeps what lies beside an answer, where there is room for it.</summary>
public static class BlobStoring
{
    extension(IBlobStore blobs)
    {
        /// <summary>
        /// Null where the log does not take it. What a call did is a fact with or without its whole output, and must not be lost for
        /// want of room; of a disk that is full the next event tells. Takes no token, as facts do not.
        /// </summary>
        public async ValueTask<BlobId?> TryStoreAsync(ReadOnlyMemory<byte> content)
        {
            try
            {
                return await blobs.StoreAsync(content, CancellationToken.None);
            }
            catch (LogException)
            {
                return null;
            }
        }
    }
}
