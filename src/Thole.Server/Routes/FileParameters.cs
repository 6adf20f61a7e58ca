using Thole.Protocol;

namespace Thole.Server.Routes;

/// <summary>Parameters of the routes about files, which answer what does not fit with <c>parse_error</c>.</summary>
internal static class FileParameters
{
    public static Parameter Text(string name, string description) =>
        new(ParameterPlace.Query, name, description) { Code = FileRefusals.ParseError };

    public static Parameter Flag(string name, string description) => Text(name, description) with { Type = ParameterType.Flag };

    public static Parameter Number(string name, string description, long least, long most) =>
        Text(name, description) with
        {
            Type = ParameterType.Integer,
            Least = least,
            Most = most,
        };
}
