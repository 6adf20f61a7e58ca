using System.Runtime.InteropServices;
using Thole.Benchmarks;
using Thole.Benchmarks.Daemons;
using Thole.Testing.Models;

// bench/README.md says how to run this and what it showed.
if (args is not [var binary, .. var rest] || !File.Exists(binary))
{
    Console.Error.WriteLine(
        "usage: Thole.Benchmarks <published thole> [--runs N] [--only headless|search|session|wires|daemon|many]"
    );
    return 2;
}

var runs = rest.Index().FirstOrDefault(argument => argument.Item == "--runs") is { Item: not null } option
    ? int.Parse(rest[option.Index + 1])
    : 20;
var only = rest.Index().FirstOrDefault(argument => argument.Item == "--only") is { Item: not null } part
    ? rest[part.Index + 1]
    : null;

using var stopping = new CancellationTokenSource();
using var signal = PosixSignalRegistration.Create(
    PosixSignal.SIGINT,
    context =>
    {
        context.Cancel = true;
        stopping.Cancel();
    }
);

await using var server = ScriptedModelServer.Start();
var model = new ModelScript(server);
using var place = new Workplace(Path.GetFullPath(binary), server.BaseAddress);
var table = new Table(Console.Out);

Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd}, {Machine.Describe()}.");
table.Begin();
if (only is null or "headless")
{
    HeadlessRuns.Measure(place, model, runs, table);
}

if (only is null or "search")
{
    await SearchRuns.MeasureAsync(place, model, Math.Max(3, runs / 2), table, stopping.Token);
}

if (only is null or "session")
{
    await LargeSession.MeasureAsync(place, model, Math.Max(3, runs / 2), table, stopping.Token);
}

if (only is null or "wires")
{
    await WireRuns.MeasureAsync(Math.Max(5, runs / 2), table);
}

if (only is null or "daemon")
{
    await DaemonRuns.MeasureAsync(place, model, runs, table);
}

if (only is null or "many")
{
    await ManySessions.MeasureAsync(place, model, table);
}

return 0;
