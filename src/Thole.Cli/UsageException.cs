namespace Thole.Cli;

/// <summary>What the user asked for cannot be. The message is one sentence with the cure; the process ends with exit code 2.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
