using System.Buffers.Binary;
using System.Text;

namespace Thole.Core.Log;

/// <summary>
/// Finds the rows of a damaged log without its tree: reads every page of the file and of the write-ahead file by itself and takes what
/// has the shape of an event or a blob (https://www.sqlite.org/fileformat2.html, sections 1.6, 2.1 and 4). What it finds is
/// a candidate; the hashes decide. Rows are never changed or deleted, so an older copy of a page is as good as a newer one.
/// </summary>
internal sealed class PageScan : IDisposable
{
    private const int PageSize = 4096;
    private const int WalHeader = 32;
    private const int FrameHeader = 24;
    private const int Leaf = 0x0d;
    private const int HashType = 12 + 2 * 32; // the serial type of a blob of 32 bytes

    private readonly FileStream _database;
    private readonly FileStream? _wal;
    private readonly Dictionary<uint, long> _newest = []; // page number to its newest place in the write-ahead file

    public PageScan(string database, string wal)
    {
        _database = new FileStream(database, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (File.Exists(wal))
        {
            _wal = new FileStream(wal, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }

        Scan();
    }

    /// <summary>Places of event rows, by number; of one number the newest last.</summary>
    public List<Place> Events { get; } = [];

    public List<Place> Blobs { get; } = [];

    /// <summary>Null where the row's bytes do not hold together.</summary>
    public EventRow? ReadEvent(Place place)
    {
        if (Read(place) is not { } fields)
        {
            return null;
        }

        return new EventRow(
            place.Key,
            Integer(fields[1]),
            Encoding.UTF8.GetString(fields[2].Span),
            (int)Integer(fields[3]),
            Encoding.UTF8.GetString(fields[4].Span),
            fields[5].ToArray(),
            fields[6].ToArray()
        );
    }

    public (byte[] Id, byte[] Content)? ReadBlob(Place place) =>
        Read(place) is { } fields ? (fields[1].ToArray(), fields[2].ToArray()) : null;

    public void Dispose()
    {
        _database.Dispose();
        _wal?.Dispose();
    }

    private void Scan()
    {
        var page = new byte[PageSize];
        for (var offset = 0L; offset < _database.Length; offset += PageSize)
        {
            ScanPage(page, isInWal: false, offset);
        }

        if (_wal is null)
        {
            return;
        }

        // Frames of an earlier life of the write-ahead file have another salt; all they held has reached the database since.
        Span<byte> frame = stackalloc byte[FrameHeader];
        Span<byte> salt = stackalloc byte[8];
        for (var offset = (long)WalHeader; offset + FrameHeader < _wal.Length; offset += FrameHeader + PageSize)
        {
            _ = RandomAccess.Read(_wal.SafeFileHandle, frame, offset);
            if (offset == WalHeader)
            {
                frame.Slice(8, 8).CopyTo(salt);
            }

            if (frame.Slice(8, 8).SequenceEqual(salt))
            {
                _newest[BinaryPrimitives.ReadUInt32BigEndian(frame)] = offset + FrameHeader;
                ScanPage(page, isInWal: true, offset + FrameHeader);
            }
        }
    }

    private void ScanPage(byte[] page, bool isInWal, long offset)
    {
        page.AsSpan().Clear();
        _ = RandomAccess.Read((isInWal ? _wal! : _database).SafeFileHandle, page, offset);
        if (page[0] != Leaf)
        {
            return;
        }

        var cells = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(3)), (ushort)((PageSize - 8) / 4));
        for (var index = 0; index < cells; index++)
        {
            var start = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(8 + 2 * index));
            if (
                start < 8
                || start >= PageSize
                || !TryCell(page.AsSpan(start), out var cell)
                || !TryTypes(cell.Local, out var types, out _)
            )
            {
                continue;
            }

            var place = new Place(cell.Key, isInWal, offset, start);
            if (types is [0, _, >= 13, _, >= 13, >= 13, HashType] && cell.Key > 0)
            {
                Events.Add(place);
            }
            else if (types is [0, HashType, >= 12])
            {
                Blobs.Add(place);
            }
        }
    }

    private ReadOnlyMemory<byte>[]? Read(Place place)
    {
        var page = new byte[PageSize];
        _ = RandomAccess.Read((place.IsInWal ? _wal! : _database).SafeFileHandle, page, place.Page);
        if (
            !TryCell(page.AsSpan(place.Cell), out var cell)
            || Assemble(cell) is not { } record
            || !TryTypes(record, out var types, out var header)
        )
        {
            return null;
        }

        var fields = new ReadOnlyMemory<byte>[types.Length];
        var from = header;
        for (var index = 0; index < types.Length; index++)
        {
            var length = Length(types[index]);
            if (length > record.Length - from)
            {
                return null;
            }

            fields[index] = record.AsMemory((int)from, (int)length);
            from += length;
        }

        // Zero and one are told by their type and take no bytes.
        for (var index = 0; index < types.Length; index++)
        {
            fields[index] = types[index] is 9 ? s_one : fields[index];
        }

        return fields;
    }

    private static readonly ReadOnlyMemory<byte> s_one = new byte[] { 1 };

    /// <summary>The whole record: what lies in the cell, and what the chain of overflow pages holds.</summary>
    private byte[]? Assemble(Cell cell)
    {
        if (cell.Overflow == 0)
        {
            return cell.Local.ToArray();
        }

        // A damaged length must not ask for more than the files could hold.
        if (cell.Length > _database.Length + (_wal?.Length ?? 0))
        {
            return null;
        }

        var record = new byte[cell.Length];
        cell.Local.CopyTo(record);
        var filled = cell.Local.Length;
        var page = new byte[PageSize];
        for (var next = cell.Overflow; filled < record.Length; next = BinaryPrimitives.ReadUInt32BigEndian(page))
        {
            if (next == 0)
            {
                return null;
            }

            page.AsSpan().Clear();
            _ = _newest.TryGetValue(next, out var place)
                ? RandomAccess.Read(_wal!.SafeFileHandle, page, place)
                : RandomAccess.Read(_database.SafeFileHandle, page, (next - 1L) * PageSize);
            var taken = Math.Min(PageSize - 4, record.Length - filled);
            page.AsSpan(4, taken).CopyTo(record.AsSpan(filled));
            filled += taken;
        }

        return record;
    }

    private static bool TryCell(ReadOnlySpan<byte> bytes, out Cell cell)
    {
        cell = default;
        if (!TryVarint(ref bytes, out var length) || !TryVarint(ref bytes, out var key) || length is <= 0 or > int.MaxValue)
        {
            return false;
        }

        const int Usable = PageSize;
        const int Most = Usable - 35;
        const int Least = (Usable - 12) * 32 / 255 - 23;
        var local = (int)length;
        if (length > Most)
        {
            var spread = Least + (int)((length - Least) % (Usable - 4));
            local = spread <= Most ? spread : Least;
        }

        var hasOverflow = local < length;
        if (bytes.Length < local + (hasOverflow ? 4 : 0))
        {
            return false;
        }

        cell = new Cell(key, (int)length, bytes[..local], hasOverflow ? BinaryPrimitives.ReadUInt32BigEndian(bytes[local..]) : 0);
        return !hasOverflow || cell.Overflow != 0;
    }

    private static bool TryTypes(ReadOnlySpan<byte> record, out long[] types, out long header)
    {
        types = [];
        var rest = record;
        if (!TryVarint(ref rest, out header) || header > record.Length || header > 64)
        {
            return false;
        }

        rest = record[(record.Length - rest.Length)..(int)Math.Max(header, record.Length - rest.Length)];
        var found = new List<long>(8);
        while (!rest.IsEmpty)
        {
            if (!TryVarint(ref rest, out var type) || type < 0)
            {
                return false;
            }

            found.Add(type);
        }

        types = [.. found];
        return true;
    }

    private static bool TryVarint(ref ReadOnlySpan<byte> bytes, out long value)
    {
        value = 0;
        for (var index = 0; index < 9 && index < bytes.Length; index++)
        {
            if (index == 8)
            {
                value = (value << 8) | bytes[index];
                bytes = bytes[9..];
                return true;
            }

            value = (value << 7) | (uint)(bytes[index] & 0x7f);
            if (bytes[index] < 0x80)
            {
                bytes = bytes[(index + 1)..];
                return true;
            }
        }

        return false;
    }

    private static long Length(long type) =>
        type switch
        {
            0 or 8 or 9 => 0,
            <= 4 => type,
            5 => 6,
            6 or 7 => 8,
            _ => (type - 12) / 2,
        };

    private static long Integer(ReadOnlyMemory<byte> field)
    {
        long value = field.Length > 0 ? (sbyte)field.Span[0] : 0;
        for (var index = 1; index < field.Length && index < 8; index++)
        {
            value = (value << 8) | field.Span[index];
        }

        return value;
    }

    /// <summary>Where a row was found.</summary>
    public readonly record struct Place(long Key, bool IsInWal, long Page, int Cell);

    private readonly ref struct Cell(long key, int length, ReadOnlySpan<byte> local, uint overflow)
    {
        public long Key { get; } = key;
        public int Length { get; } = length;
        public ReadOnlySpan<byte> Local { get; } = local;
        public uint Overflow { get; } = overflow;
    }
}
