using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers;
using Thole.Providers.Endpoints;
using Thole.Testing.Models;

namespace Thole.Benchmarks;

/// <summary>What it costs to understand an answer, on each wire, without sockets: the bytes of a real exchange, read from memory.</summary>
internal static class WireRuns
{
    private const int Chunks = 20_000;

    private static readonly string[] s_providers = ["openai", "openai-responses", "anthropic", "gemini"];

    public static async Task MeasureAsync(int runs, Table table)
    {
        foreach (var name in s_providers)
        {
            var provider = ProviderCatalog.All.First(known => known.Name == name);
            var options = new EndpointOptions
            {
                Provider = name,
                BaseAddress = new Uri("http://127.0.0.1:1/v1"),
                Credential = new Credential("KEY", null),
            };
            var wire = provider.Wire(options, "scripted");
            var answer = await RecordAsync(wire);
            using var http = new HttpMessageInvoker(new Canned(answer));
            var model = new EndpointModel(wire, options, () => http, TimeProvider.System);
            for (var warming = 0; warming < 20; warming++)
            {
                await ReadAsync(model); // the first ones pay for what is compiled and made once
            }

            List<(double Ms, double Cpu, double Bytes)> seen = [];
            for (var run = 0; run < runs; run++)
            {
                seen.Add(await MeasureAsync(model));
            }

            var median = Spread.Of(seen.Select(one => one.Ms)).Median;
            table.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: an answer of {Chunks:N0} chunks understood ({answer.Length / 1048576.0 / (median / 1000):0} MB/s, {seen[^1].Bytes / Chunks:0} bytes allocated a chunk)"
                ),
                runs,
                Spread.Of(seen.Select(one => one.Ms)),
                Spread.Of(seen.Select(one => one.Cpu)),
                null,
                "250 CPU ms"
            );
        }
    }

    private static async Task<(double Ms, double Cpu, double Bytes)> MeasureAsync(EndpointModel model)
    {
        var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await ReadAsync(model);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        return (clock.Elapsed.TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds, allocated);
    }

    private static async Task ReadAsync(EndpointModel model)
    {
        var pieces = 0;
        await foreach (var said in model.StreamAsync(Request, CancellationToken.None))
        {
            pieces += said is TextDelta ? 1 : 0;
        }

        if (pieces < Chunks)
        {
            throw new InvalidOperationException($"Only {pieces} of {Chunks} pieces were understood.");
        }
    }

    private static async Task<byte[]> RecordAsync(IWire wire)
    {
        await using var server = ScriptedModelServer.Start();
        server.Reply(reply => reply.Text(string.Concat(Enumerable.Repeat("chunk ", Chunks))).Done());
        using var client = new HttpClient();
        var address = new UriBuilder(wire.Address(Request)) { Port = server.BaseAddress.Port }.Uri;
        using var response = await client.PostAsync(address, new StringContent("{}"));
        return await response.Content.ReadAsByteArrayAsync();
    }

    private static ModelRequest Request { get; } =
        new()
        {
            Model = "scripted",
            System = "You are measured.",
            Items = [new UserItem(1, [new TextContent("Go.")])],
            Tools = [],
            ReadBlob = static (_, _) => new ValueTask<byte[]?>((byte[]?)null),
        };

    private sealed class Canned(byte[] answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var content = new StreamContent(new MemoryStream(answer));
            content.Headers.ContentType = new MediaTypeHeaderValue("text/event-stream");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = content });
        }
    }
}
