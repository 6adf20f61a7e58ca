using Thole.Protocol;

namespace Thole.Core.Workspaces;

/// <summary>
/// Which state of which file this session knows, and which lines of it were shown: an edit needs a read of what it replaces.
/// Seeded from the session's <see cref="FileSeen"/> facts, so that it survives a restart.
/// </summary>
public sealed class FileLedger { }
