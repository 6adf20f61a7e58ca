using SQLitePCL;

namespace Thole.Core.Log;

/// <summary>A prepared statement of a <see cref="Database"/>, which owns it. Parameters count from 1, columns from 0.</summary>
internal sealed class Statement(Database database, sqlite3_stmt handle) : IDisposable
{
    public Statement Bind(int parameter, long value)
    {
        database.Check(raw.sqlite3_bind_int64(handle, parameter, value));
        return this;
    }

    public Statement Bind(int parameter, long? value)
    {
        database.Check(
            value is { } number ? raw.sqlite3_bind_int64(handle, parameter, number) : raw.sqlite3_bind_null(handle, parameter)
        );
        return this;
    }

    public Statement Bind(int parameter, string? value)
    {
        database.Check(
            value is null ? raw.sqlite3_bind_null(handle, parameter) : raw.sqlite3_bind_text(handle, parameter, value)
        );
        return this;
    }

    public Statement BindText(int parameter, ReadOnlySpan<byte> utf8)
    {
        database.Check(raw.sqlite3_bind_text(handle, parameter, utf8));
        return this;
    }

    public Statement BindBlob(int parameter, ReadOnlySpan<byte> value)
    {
        // An empty span would be bound as NULL.
        database.Check(
            value.IsEmpty ? raw.sqlite3_bind_zeroblob(handle, parameter, 0) : raw.sqlite3_bind_blob(handle, parameter, value)
        );
        return this;
    }

    /// <summary>False where there is no further row.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(handle);
        database.Check(code);
        return code == raw.SQLITE_ROW;
    }

    /// <summary>Runs a statement that has no rows to tell, and lets go of its locks.</summary>
    public void Run()
    {
        while (Step()) { }

        _ = raw.sqlite3_reset(handle);
    }

    public long Number(int column) => raw.sqlite3_column_int64(handle, column);

    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string() ?? "";

    public string? OptionalText(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL ? null : Text(column);

    /// <summary>The bytes of a text or blob; they are gone with the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(handle, column);

    public void Reset()
    {
        _ = raw.sqlite3_reset(handle);
        _ = raw.sqlite3_clear_bindings(handle);
    }

    public void Dispose() => handle.Dispose();
}
