using System.Globalization;
using System.Text;

namespace Thole.Benchmarks.Daemons;

/// <summary>
/// Reads a session's events and counts them. It looks at frames as text: parsing JSON would be counted as the daemon's time, since both
/// share the processors.
/// </summary>
internal sealed class DaemonReader : IDisposable
{
    private readonly StreamReader _lines;
    private readonly HttpResponseMessage _response;

    private DaemonReader(HttpResponseMessage response, Stream body) =>
        (_response, _lines) = (response, new StreamReader(body, Encoding.UTF8, bufferSize: 16 * 1024));

    /// <summary>The number of the last event.</summary>
    public long Last { get; private set; }

    /// <summary>Numbered frames that did not follow the one before.</summary>
    public int Gaps { get; private set; }

    /// <summary>Milliseconds from when an event happened, by the daemon's clock, until it was read here.</summary>
    public List<double> Delays { get; } = [];

    /// <param name="path">Of the stream, of either surface.</param>
    public static async Task<DaemonReader> OpenAsync(RunningDaemon daemon, string path, long after)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Last-Event-ID", after.ToString(CultureInfo.InvariantCulture));
        var response = await daemon.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return new DaemonReader(response, await response.Content.ReadAsStreamAsync()) { Last = after };
    }

    /// <summary>Reads up to the frame whose data has that text in it; counts what of the answer's text came.</summary>
    /// <returns>How many times <paramref name="counted"/> was said.</returns>
    public async Task<int> UntilAsync(string mark, string counted = "word ")
    {
        var count = 0;
        while (await _lines.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                var id = long.Parse(line.AsSpan(4), CultureInfo.InvariantCulture);
                Gaps += id == Last + 1 ? 0 : 1;
                Last = id;
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                count += Occurrences(line, counted);
                Time(line);
                if (line.Contains(mark, StringComparison.Ordinal))
                {
                    return count;
                }
            }
        }

        throw new InvalidOperationException("The stream ended.");
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }

    // "at":"2026-11-26T05:00:18.6754082+00:00" of the native surface.
    private void Time(string line)
    {
        var at = line.IndexOf("\"at\":\"", StringComparison.Ordinal);
        if (at >= 0)
        {
            var end = line.IndexOf('"', at + 6);
            var happened = DateTimeOffset.Parse(line.AsSpan(at + 6, end - at - 6), CultureInfo.InvariantCulture);
            Delays.Add((DateTimeOffset.UtcNow - happened).TotalMilliseconds);
        }
    }

    private static int Occurrences(string line, string text)
    {
        var count = 0;
        for (var at = 0; (at = line.IndexOf(text, at, StringComparison.Ordinal)) >= 0; at += text.Length)
        {
            count++;
        }

        return count;
    }
}
