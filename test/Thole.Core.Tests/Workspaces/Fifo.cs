using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Thole.Core.Tests.Workspaces;

/// <summary>A pipe with a name that commands hold open: its end is the end of the last of them, without asking again and again.</summary>
internal sealed class Fifo
{
    private Fifo(string path) => Path = path;

    private FileStream? _reading;

    public string Path { get; }

    public static async Task<Fifo> MakeAsync(string path)
    {
        using var making = Process.Start("mkfifo", [path]);
        await making.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Fifo(path);
    }

    /// <summary>Returns when somebody holds it.</summary>
    public async Task OpenedAsync() =>
        _reading = await Task.Run(() => new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1));

    /// <summary>Returns when nobody holds it any more.</summary>
    public async Task EndedAsync()
    {
        if (_reading is null)
        {
            // Nobody may hold it by now, and a reader would wait for the first one: be it ourselves.
            using var ours = new FileStream(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 1);
            await OpenedAsync();
        }

        await using var reading = _reading!;
        await Task.Run(() => reading.CopyTo(Stream.Null)).WaitAsync(TimeSpan.FromSeconds(2));
    }
}

internal static class Descriptors
{
    /// <summary>Lets children inherit a descriptor, as a careless parent of ours would.</summary>
    public static int Inherit(int descriptor)
    {
        const int setFlags = 2;
        return FileControl(descriptor, setFlags, 0);
    }

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int FileControl(int descriptor, int command, nint flags);
}
