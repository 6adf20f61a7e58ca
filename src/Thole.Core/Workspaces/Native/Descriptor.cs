using Microsoft.Win32.SafeHandles;

namespace Thole.Core.Workspaces.Native;

/// <summary>An open file or directory of ours on Unix, closed exactly once.</summary>
internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor(int number)
        : base(ownsHandle: true) => SetHandle(number);

    /// <summary>Gives the open file to a <see cref="SafeFileHandle"/>, which closes it from then on.</summary>
    public SafeFileHandle Release()
    {
        var file = new SafeFileHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        return file;
    }

    // Never again on EINTR: Linux has closed it all the same, and the number may already be somebody else's file.
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
