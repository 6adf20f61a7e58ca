using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Thole.Core.Tools;
using Thole.Testing;

namespace Thole.Core.Tests.Tools;

public sealed class ArgumentSchemaSpecs
{
    private const string Read = """
        {"type":"object","properties":{"file_path":{"type":"string","minLength":1},"offset":{"type":"integer","minimum":0},
        "limit":{"type":"integer","exclusiveMinimum":0,"maximum":1000},"force":{"type":"boolean"},"format":{"enum":["auto","text"]},
        "tags":{"type":"array","items":{"type":"string"},"maxItems":3},"edits":{"type":"array","items":{"type":"object",
        "properties":{"line":{"type":"integer"},"note":{"type":["string","null"]}},"required":["line"]}},
        "ratio":{"type":"number","minimum":0.5},"name":{"type":"string","pattern":"^[a-z]+$","maxLength":3}},
        "required":["file_path"],"additionalProperties":false}
        """;

    [Theory]
    [InlineData("""{}""", "params must have required property 'file_path'")]
    [InlineData("""{"file_path":"a","limit":"ten"}""", "params/limit must be integer")]
    [InlineData("""{"file_path":"a","limit":0}""", "params/limit must be > 0")]
    [InlineData("""{"file_path":"a","limit":1001}""", "params/limit must be <= 1000")]
    [InlineData("""{"file_path":"a","offset":-1}""", "params/offset must be >= 0")]
    [InlineData("""{"file_path":"a","offset":1.5}""", "params/offset must be integer")]
    [InlineData("""{"file_path":"a","ratio":1e400}""", "params/ratio must be number")]
    [InlineData("""{"file_path":""}""", "params/file_path must NOT have fewer than 1 characters")]
    [InlineData("""{"file_path":"a","name":"abcd"}""", "params/name must NOT have more than 3 characters")]
    [InlineData("""{"file_path":"a","name":"A"}""", "params/name must match pattern \"^[a-z]+$\"")]
    [InlineData(
        """{"file_path":"a","format":"html"}""",
        "params/format must be equal to one of the allowed values: \"auto\", \"text\""
    )]
    [InlineData("""{"file_path":"a","tags":["a","b","c","d"]}""", "params/tags must NOT have more than 3 items")]
    [InlineData("""{"file_path":"a","tags":["a",["b"]]}""", "params/tags/1 must be string")]
    [InlineData("""{"file_path":"a","edits":[{"line":1},{}]}""", "params/edits/1 must have required property 'line'")]
    [InlineData("""{"file_path":null}""", "params/file_path must be string")]
    [InlineData("""{"path":"a","file_path":"b"}""", "params must NOT have additional property 'path': it takes file_path")]
    [InlineData("""[]""", "params must be object")]
    [InlineData("""7""", "params must be object")]
    [InlineData("\"hello\"", "params must be object")]
    public void A_wrong_call_is_told_in_known_words(string arguments, string problem)
    {
        var (accepted, told) = ArgumentSchema.Parse(Read).Check(arguments);

        Assert.Null(accepted);
        Assert.StartsWith(problem, told);
    }

    [Theory]
    [InlineData("""{"file_path":"a","limit":"10"}""", """{"file_path":"a","limit":10}""")]
    [InlineData("""{"file_path":"a","limit":10.0}""", """{"file_path":"a","limit":10}""")]
    [InlineData("""{"file_path":"a","limit":"1e2"}""", """{"file_path":"a","limit":100}""")]
    [InlineData("""{"file_path":"a","ratio":"0.75"}""", """{"file_path":"a","ratio":0.75}""")]
    [InlineData("""{"file_path":"a","force":"true"}""", """{"file_path":"a","force":true}""")]
    [InlineData("""{"file_path":"a","force":"False"}""", """{"file_path":"a","force":false}""")]
    [InlineData("""{"file_path":12}""", """{"file_path":"12"}""")]
    [InlineData("""{"file_path":true}""", """{"file_path":"true"}""")]
    [InlineData("""{"file_path":"a","tags":"[\"x\",\"y\"]"}""", """{"file_path":"a","tags":["x","y"]}""")]
    [InlineData("""{"file_path":"a","tags":"x"}""", """{"file_path":"a","tags":["x"]}""")]
    [InlineData("""{"file_path":"a","tags":[1,"x"]}""", """{"file_path":"a","tags":["1","x"]}""")]
    [InlineData("""{"file_path":"a","edits":{"line":"3"}}""", """{"file_path":"a","edits":[{"line":3}]}""")]
    [InlineData(
        """{"file_path":"a","edits":"[{\"line\":\"3\",\"note\":null}]"}""",
        """{"file_path":"a","edits":[{"line":3,"note":null}]}"""
    )]
    [InlineData("""{"file_path":"a","limit":null,"format":null}""", """{"file_path":"a"}""")]
    [InlineData("\"{\\\"file_path\\\":\\\"a\\\"}\"", """{"file_path":"a"}""")]
    [InlineData("```json\n{\"file_path\":\"a\"}\n```", """{"file_path":"a"}""")]
    public void A_slip_with_one_reading_is_repaired(string arguments, string repaired)
    {
        var (accepted, problem) = ArgumentSchema.Parse(Read).Check(arguments);

        Assert.Null(problem);
        Assert.Equal(repaired, accepted!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"file_path":"a","tags":"[\"x\""}""")]
    [InlineData("""{"file_path":"a","limit":"+10"}""")]
    [InlineData("""{"file_path":"a","limit":"0x10"}""")]
    [InlineData("""{"file_path":["a","b"]}""")]
    [InlineData("""{"filepath":"a"}""")]
    [InlineData("""{"FILE_PATH":"a"}""")]
    public void What_could_be_read_two_ways_is_not_guessed(string arguments) =>
        Assert.NotNull(ArgumentSchema.Parse(Read).Check(arguments).Problem);

    [Theory]
    [InlineData("")]
    [InlineData("  \n")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("\"{}\"")]
    public void A_tool_without_required_arguments_may_be_called_with_nothing(string arguments) =>
        Assert.Equal(
            "{}",
            ArgumentSchema
                .Parse("""{"type":"object","properties":{"a":{"type":"string"}}}""")
                .Check(arguments)
                .Arguments?.ToJsonString()
        );

    [Fact]
    public void Nothing_is_not_enough_where_something_is_required() =>
        Assert.Equal("params must have required property 'file_path'", ArgumentSchema.Parse(Read).Check("").Problem);

    [Theory]
    [InlineData("""{"anyOf":[{"required":["a"]},{"required":["b"]}]}""", """{"b":1}""", true)]
    [InlineData("""{"anyOf":[{"required":["a"]},{"required":["b"]}]}""", """{"c":1}""", false)]
    [InlineData("""{"oneOf":[{"required":["a"]},{"required":["b"]}]}""", """{"a":1,"b":1}""", false)]
    [InlineData("""{"allOf":[{"required":["a"]},{"required":["b"]}]}""", """{"a":1,"b":1}""", true)]
    [InlineData("""{"allOf":[{"required":["a"]},{"required":["b"]}]}""", """{"a":1}""", false)]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"integer"}}}""", """{"a":1}""", true)]
    [InlineData(
        """{"properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"type":"integer"}}}""",
        """{"a":[]}""",
        false
    )]
    [InlineData("""{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}""", """{"a":{"a":{}}}""", true)]
    [InlineData("""{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}""", """{"a":{"a":{"b":1}}}""", false)]
    [InlineData("""{"properties":{"a":{"const":1}}}""", """{"a":1.0}""", true)]
    [InlineData("""{"properties":{"a":{"const":1}}}""", """{"a":2}""", false)]
    [InlineData("""{"properties":{"a":{"type":"string","nullable":true}},"required":["a"]}""", """{"a":null}""", true)]
    [InlineData("""{"properties":{"a":{"type":["integer","null"]}},"required":["a"]}""", """{"a":null}""", true)]
    [InlineData("""{"properties":{"a":{"anyOf":[{"type":"integer"},{"type":"null"}]}}}""", """{"a":"5"}""", true)]
    [InlineData("""{"properties":{"a":{"minimum":1,"exclusiveMinimum":true}}}""", """{"a":1}""", false)]
    [InlineData(
        """{"properties":{"a":{"prefixItems":[{"type":"integer"}],"items":{"type":"string"}}}}""",
        """{"a":[1,"x"]}""",
        true
    )]
    [InlineData("""{"properties":{"a":{"items":[{"type":"integer"}]}}}""", """{"a":["x"]}""", false)]
    [InlineData("""{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}""", """{"x-a":1}""", true)]
    [InlineData("""{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}""", """{"y":1}""", false)]
    [InlineData("""{"additionalProperties":{"type":"integer"}}""", """{"y":true}""", false)]
    [InlineData("""{"properties":{"a":{"pattern":"(?=x)"}}}""", """{"a":"y"}""", true)]
    [InlineData("""{"properties":{"path":{"type":"string"}}}""", """{"path":"a","PATH":"b"}""", false)]
    [InlineData("""{"unheard-of":[1,2],"$schema":"https://json-schema.org/draft/2020-12/schema"}""", """{"y":1}""", true)]
    [InlineData("""{"$ref":"#"}""", """{"a":1}""", false)]
    [InlineData("""{"allOf":[{"$ref":"#"},{"$ref":"#"}]}""", """{"a":1}""", false)]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}""", """{"a":1}""", false)]
    [InlineData("""not a schema""", """{"a":1}""", true)]
    public void The_schemas_of_others_are_understood(string schema, string arguments, bool isAccepted) =>
        Assert.Equal(isAccepted, ArgumentSchema.Parse(schema).Check(arguments).Problem is null);

    [Theory]
    [InlineData("""{"file_path":"a","file_path":"b"}""")]
    [InlineData("""{"file_path":"a","file\u005fpath":"b"}""")]
    [InlineData("""{"file_path":"a","edits":[{"line":1,"line":2}]}""")]
    [InlineData("""{"file_path":"a","edits":"[{\"line\":1,\"line\":2}]"}""")]
    [InlineData("\"{\\\"file_path\\\":\\\"a\\\",\\\"file_path\\\":\\\"b\\\"}\"")]
    public void A_name_said_twice_is_refused(string arguments) =>
        Assert.NotNull(ArgumentSchema.Parse(Read).Check(arguments).Problem);

    [Theory]
    [InlineData("{\"file_path\":\"\\ud800\"}")]
    [InlineData("{\"file_path\":\"\\uDC00\"}")]
    [InlineData("{\"file_path\":\"\\ud800\\u0041\"}")]
    [InlineData("{\"\\ud800\":1,\"file_path\":\"a\"}")]
    public void Half_a_surrogate_pair_is_refused(string arguments) =>
        Assert.Contains("surrogate", ArgumentSchema.Parse(Read).Check(arguments).Problem);

    [Theory]
    [InlineData("{\"file_path\":\"\\ud83d\\ude00\"}")]
    [InlineData("{\"file_path\":\"\\\\ud800\"}")]
    [InlineData("{\"file_path\":\"C:\\\\udata\"}")]
    public void A_whole_pair_and_an_escaped_backslash_pass(string arguments) =>
        Assert.Null(ArgumentSchema.Parse(Read).Check(arguments).Problem);

    [Fact]
    public void A_raw_lone_surrogate_is_refused() =>
        Assert.NotNull(ArgumentSchema.Parse(Read).Check("{\"file_path\":\"\ud800\"}").Problem);

    [Fact]
    public void Bombs_are_answered_quickly()
    {
        var deep = new StringBuilder().Insert(0, "{\"a\":", 200_000).Append('1').Append('}', 200_000).ToString();
        var arrays = new string('[', 200_000);
        var keys = "{" + string.Join(',', Enumerable.Range(0, 1_000_000).Select(static n => $"\"k{n}\":1")) + "}";
        var digits = $"{{\"file_path\":\"a\",\"limit\":{new string('1', 100_000)}}}";
        var schema = ArgumentSchema.Parse(Read);
        _ = schema.Check("""{"file_path":"a"}""");
        var watch = Stopwatch.StartNew();
        foreach (var bomb in new[] { deep, arrays, digits, keys, $"\"{deep.Replace("\"", "\\\"")}\"" })
        {
            Assert.NotNull(schema.Check(bomb).Problem);
        }

        // Far above what it takes, far below what a quadratic answer would.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), watch.Elapsed.ToString());
    }

    [Fact]
    public void The_known_bombs_are_refused()
    {
        Assert.SkipUnless(Acceptance.Folder is not null, "needs the acceptance data: set THOLE_ACCEPTANCE");

        using var all = JsonDocument.Parse(File.ReadAllText(Path.Join(Acceptance.Folder, "attacks", "dictionaries.json")));
        foreach (var bomb in all.RootElement.GetProperty("json_bombs").EnumerateArray())
        {
            Assert.NotNull(ArgumentSchema.Parse(Read).Check(bomb.GetString()!).Problem);
        }
    }

    [Fact]
    public void Checking_costs_little_beyond_the_parse()
    {
        const string Arguments = """{"file_path":"a","offset":1,"limit":2,"force":true}""";
        var schema = ArgumentSchema.Parse(Read);
        _ = schema.Check(Arguments);
        var before = GC.GetAllocatedBytesForCurrentThread();
        _ = schema.Check(Arguments);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000);
    }

    [Fact]
    public void It_never_throws()
    {
        var random = new Random(20_26);
        string[] seeds =
        [
            Read,
            """{"file_path":"a","limit":"10","tags":"[\"x\"]","edits":[{"line":1,"note":null}],"ratio":1e5,"name":"\ud83d\ude00"}""",
            "```json\n{\"file_path\":\"a\"}\n```",
            """{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"type":["string","null"],"pattern":"^(a|b)*$"}]}}}""",
            """{"type":"array","items":[{"const":null}],"enum":[[],{}],"minItems":-1,"minimum":1e999,"exclusiveMaximum":3}""",
        ];
        const string Splinters = "{}[]\",:\\ud8009eE+-.tfn`# $/~%\ud800\0";
        for (var round = 0; round < 8_000; round++)
        {
            var schema = Mutate(seeds[random.Next(seeds.Length)]);
            var arguments = Mutate(seeds[random.Next(seeds.Length)]);
            var (accepted, problem) = ArgumentSchema.Parse(schema).Check(arguments);
            Assert.True(accepted is null != problem is null, $"{schema}\n{arguments}");
            _ = accepted?.ToJsonString();
        }

        string Mutate(string seed)
        {
            var text = new StringBuilder(seed);
            for (var cuts = random.Next(4); cuts > 0 && text.Length > 0; cuts--)
            {
                var at = random.Next(text.Length);
                _ = random.Next(4) switch
                {
                    0 => text.Remove(at, Math.Min(random.Next(8), text.Length - at)),
                    1 => text.Insert(at, Splinters[random.Next(Splinters.Length)]),
                    2 => text.Insert(at, text.ToString(at, Math.Min(random.Next(30), text.Length - at))),
                    _ => text.Replace(text[at], Splinters[random.Next(Splinters.Length)], at, 1),
                };
            }

            return text.ToString();
        }
    }
}
