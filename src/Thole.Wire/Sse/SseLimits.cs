namespace Thole.Wire.Sse;

/// <summary>How much a stream may make its reader remember, in bytes.</summary>
public sealed record SseLimits(int Line = 16 * 1024 * 1024, int Event = 32 * 1024 * 1024);

/// <summary>A stream sent a line or an event beyond <see cref="SseLimits"/>.</summary>
public sealed class SseLimitException(string message) : Exception(message);
