namespace Thole.Client;

/// <summary>The daemon could not be reached, or its answer was lost. What it did, if anything, is in the log of the session.</summary>
public sealed class DaemonLostException(string message, Exception? inner = null) : IOException(message, inner);
