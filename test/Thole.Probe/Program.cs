using Thole.Core.Workspaces;

// A process to be killed: does one durable thing and says ACK when it is promised, so that a harness can end it at any
// system call and look at what is left.
try
{
    switch (args)
    {
        case ["write", var path, var text]:
            new FileWriter(TimeProvider.System).Write(path, Text(text), Basis.Anything);
            break;

        case ["edit", var path, var hash, var text]:
            new FileWriter(TimeProvider.System).Write(path, Text(text), Basis.Content(hash));
            break;

        case ["create", var path, var text]:
            new FileWriter(TimeProvider.System).Write(path, Text(text), Basis.Nothing);
            break;

        case ["recover", var directory]:
            new FileWriter(TimeProvider.System).Recover(directory);
            break;

        // The control: what everybody writes, and what a kill tears.
        case ["naive", var path, var text]:
            File.WriteAllBytes(path, Text(text));
            break;

        case ["log", var folder, var session]:
            return await Thole.Probe.LogVerb.RunAsync(folder, session, isPowerCut: false);

        case ["log-durable", var folder, var session]:
            return await Thole.Probe.LogVerb.RunAsync(folder, session, isPowerCut: true);

        default:
            Console.Error.WriteLine(
                "usage: write PATH TEXT | edit PATH SHA256 TEXT | create PATH TEXT | recover FOLDER | naive PATH TEXT"
            );
            return 2;
    }
}
catch (WorkspaceException refused)
{
    Console.Error.WriteLine(refused.Message);
    return 1;
}

Console.Out.WriteLine("ACK");
return 0;

// "text*1000" repeats: a long content without a long command line.
static byte[] Text(string text) =>
    text.Split('*') is [var unit, var count] && int.TryParse(count, out var times)
        ? System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(unit, times)))
        : System.Text.Encoding.UTF8.GetBytes(text);
