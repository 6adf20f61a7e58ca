using System.Globalization;
using Microsoft.AspNetCore.Http;
using Thole.Protocol;

namespace Thole.Server.Requests;

/// <summary>Holds what a client sends beside the path and the body against what the operation says of it.</summary>
internal static class ParameterCheck
{
    public static void Check(Operation operation, QueryText query, IHeaderDictionary headers)
    {
        foreach (var parameter in operation.Parameters)
        {
            var isHeader = parameter.Place is ParameterPlace.Header;
            if (isHeader && headers[parameter.Name].Count > 1)
            {
                throw Unfit(parameter, "is there twice");
            }

            var value = isHeader ? (string?)headers[parameter.Name] : query.Value(parameter.Name);
            if (value is not null)
            {
                if (Complaint(parameter, value) is { } complaint)
                {
                    throw Unfit(parameter, complaint);
                }
            }
            else if (parameter.IsRequired)
            {
                throw Unfit(parameter, "is missing");
            }
        }
    }

    private static string? Complaint(Parameter parameter, string value) =>
        parameter.Type switch
        {
            ParameterType.Integer => ComplaintOfNumber(parameter, value),
            ParameterType.Flag when value is not ("" or "0" or "1" or "true" or "false") => "must be true or false",
            ParameterType.Text when parameter.Words is not [] && !parameter.Words.Contains(value, StringComparer.Ordinal) =>
                $"must be one of {string.Join(", ", parameter.Words)}",
            ParameterType.Text when value.Length > parameter.Length => $"must not be longer than {parameter.Length} characters",
            _ => null,
        };

    private static string? ComplaintOfNumber(Parameter parameter, string value) =>
        value is [] or ['+', ..] || !long.TryParse(value, NumberStyles.AllowLeadingSign, null, out var number)
            ? "must be a whole number"
        : number < parameter.Least ? $"must be at least {parameter.Least}"
        : number > parameter.Most ? $"must be at most {parameter.Most}"
        : null;

    private static ProblemException Unfit(Parameter parameter, string complaint)
    {
        var what = parameter.Place is ParameterPlace.Header ? "header" : "query parameter";
        var isOfFiles = parameter.Code is FileRefusals.ParseError; // whose clients look for the word under another name
        return new ProblemException(
            400,
            parameter.Code ?? "invalid_parameter",
            $"The {what} {parameter.Name} {complaint}.",
            ("parameter", parameter.Name),
            ("errorKind", isOfFiles ? parameter.Code : null)
        );
    }
}
