namespace Thole.Core.Workspaces;

/// <summary>What signals are called; macOS and Linux number some of them differently.</summary>
internal static class SignalNames
{
    public static string Of(int number) =>
        number switch
        {
            1 => "SIGHUP",
            2 => "SIGINT",
            3 => "SIGQUIT",
            4 => "SIGILL",
            5 => "SIGTRAP",
            6 => "SIGABRT",
            8 => "SIGFPE",
            9 => "SIGKILL",
            11 => "SIGSEGV",
            13 => "SIGPIPE",
            14 => "SIGALRM",
            15 => "SIGTERM",
            24 => "SIGXCPU",
            25 => "SIGXFSZ",
            _ when OperatingSystem.IsMacOS() => number switch
            {
                10 => "SIGBUS",
                12 => "SIGSYS",
                30 => "SIGUSR1",
                31 => "SIGUSR2",
                _ => $"signal {number}",
            },
            7 => "SIGBUS",
            10 => "SIGUSR1",
            12 => "SIGUSR2",
            31 => "SIGSYS",
            _ => $"signal {number}",
        };
}
