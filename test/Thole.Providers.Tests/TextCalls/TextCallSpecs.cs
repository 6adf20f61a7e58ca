using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Providers.OpenAI;
using Thole.Providers.TextCalls;

namespace Thole.Providers.Tests.TextCalls;

/// <summary>Calls that come as text, whole and broken.</summary>
public sealed class TextCallSpecs
{
    public static TheoryData<TextCallFormat, string> OneCallEach() =>
        new()
        {
            {
                TextCallFormat.QwenCoder,
                "<tool_call>\n<function=get_weather>\n<parameter=city>\nBonn\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>"
            },
            { TextCallFormat.Hermes, """<tool_call>{"name":"get_weather","arguments":{"city":"Bonn","days":3}}</tool_call>""" },
            {
                TextCallFormat.Glm,
                "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Bonn</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>"
            },
            {
                TextCallFormat.KimiK2,
                """<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{"city":"Bonn","days":3}<|tool_call_end|><|tool_calls_section_end|>"""
            },
            {
                TextCallFormat.DeepSeekV31,
                """<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city":"Bonn","days":3}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"""
            },
        };

    [Theory]
    [MemberData(nameof(OneCallEach))]
    public void Wherever_the_text_is_parted_the_same_is_said(TextCallFormat format, string call)
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var text = $"A < b, <tool, </ and <<😀 {call} not this {call}";
        var whole = Read.Of(format, text);
        Assert.Equal("A < b, <tool, </ and <<😀 ", whole.Text);
        Assert.Equal(
            [("get_weather", """{"city":"Bonn","days":3}""", false), ("get_weather", """{"city":"Bonn","days":3}""", false)],
            whole.Said
        );

        for (var round = 0; round < 200; round++)
        {
            var size = random.Next(1, 30);
            var parted = Read.Of(format, text, () => random.Next(1, size + 1));

            Assert.True(parted.Text == whole.Text && parted.Calls.SequenceEqual(whole.Calls), $"seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(OneCallEach))]
    public void Wherever_an_answer_ends_there_is_no_prose_of_a_call_and_no_call_that_is_not_whole(
        TextCallFormat format,
        string call
    )
    {
        for (var length = 0; length < call.Length; length++)
        {
            foreach (var wasCut in (bool[])[true, false])
            {
                var read = Read.Of(format, $"Hi. {call[..length]}", wasCut: wasCut);

                // Where the first marker itself is not whole, nothing has begun yet.
                Assert.StartsWith("Hi. ", read.Text, StringComparison.Ordinal);
                Assert.True(read.Calls is [] || read.Text == "Hi. ", $"{call[..length]}: {read.Text}");
                Assert.All(
                    read.Calls,
                    proposed =>
                        Assert.True(
                            proposed.Problem is not null || proposed.Arguments == """{"city":"Bonn","days":3}""",
                            $"{call[..length]}: {proposed}"
                        )
                );
            }
        }
    }

    [Theory]
    [MemberData(nameof(OneCallEach))]
    public void Until_it_is_sure_no_text_is_said_and_then_at_once(TextCallFormat format, string call)
    {
        var parser = TextCallParser.For(format, Read.Tools)!;

        Assert.Equal("Hi. ", parser.Take("Hi. "));
        Assert.Equal("", parser.Take(call[..3]));
        Assert.Equal(call[..3] + "!", parser.Take("!"));
        Assert.Equal("a", parser.Take("a"));
    }

    [Theory]
    [InlineData("<")]
    [InlineData("<tool_call>")]
    [InlineData("</tool_call>")]
    [InlineData("<tool_call><function=")]
    [InlineData("<function=f><parameter=p>")]
    [InlineData("<parameter=")]
    [InlineData("<tool_call>x<arg_key>a</arg_key><arg_value>")]
    [InlineData("<arg_value>")]
    [InlineData("<tool_call>{\"a\":\"")]
    [InlineData("{\"a\":[")]
    [InlineData("<|tool_calls_section_begin|>")]
    [InlineData("<|tool_call_begin|>a<|tool_call_argument_begin|>")]
    [InlineData("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>")]
    public void Text_that_means_ill_takes_time_in_proportion_to_its_length(string unit)
    {
        foreach (var format in Enum.GetValues<TextCallFormat>())
        {
            Took(format, unit, 20_000); // compiled and warm
            var small = Took(format, unit, 20_000);
            var large = Took(format, unit, 200_000);

            // Ten times the text in twenty times the work, and something for caches that others have emptied; squared it were 100.
            Assert.True(large < (small * 20) + TimeSpan.FromMilliseconds(250), $"{format}: {small} for a tenth, {large} for all");
        }
    }

    [Fact]
    public void Values_are_of_the_type_that_the_schema_says()
    {
        var read = Read.Of(
            TextCallFormat.QwenCoder,
            Qwen(
                "get_weather",
                ("city", "5"),
                ("days", " 5 "),
                ("exact", "True"),
                ("limits", "{\"low\": [1, null]}"),
                ("tags", "null"),
                ("note", "null"),
                ("unit", "true"),
                ("share", "0.5"),
                ("other", "5")
            )
        );

        Assert.Equal(
            """{"city":"5","days":5,"exact":true,"limits":{"low": [1, null]},"tags":null,"note":null,"unit":"true","share":0.5,"other":"5"}""",
            Assert.Single(read.Calls).Arguments
        );
    }

    [Theory]
    [InlineData("days", "many", "\"many\"")]
    [InlineData("exact", "1", "\"1\"")]
    [InlineData("limits", "{'low': 1}", "\"{\\u0027low\\u0027: 1}\"")]
    [InlineData("tags", "[1,", "\"[1,\"")]
    [InlineData("days", "", "\"\"")]
    public void A_value_that_is_of_no_such_type_stays_text_for_the_tool_to_refuse(string name, string value, string expected)
    {
        var read = Read.Of(TextCallFormat.QwenCoder, Qwen("get_weather", (name, value)));

        var written = JsonDocument.Parse(Assert.Single(read.Calls).Arguments).RootElement.GetProperty(name);
        Assert.Equal(JsonDocument.Parse(expected).RootElement.GetString(), written.GetString());
    }

    [Fact]
    public void What_no_schema_tells_is_json_in_a_format_that_writes_json()
    {
        var read = Read.Of(
            TextCallFormat.Glm,
            "<tool_call>nobody<arg_key>a</arg_key><arg_value>5</arg_value><arg_key>b</arg_key><arg_value>[1]</arg_value>"
                + "<arg_key>c</arg_key><arg_value>2025-08-01</arg_value><arg_key>d</arg_key><arg_value>\"q\"</arg_value></tool_call>"
        );

        Assert.Equal([("nobody", """{"a":5,"b":[1],"c":"2025-08-01","d":"\"q\""}""", false)], read.Said);
    }

    [Fact]
    public void A_text_keeps_every_line_but_the_breaks_of_the_format()
    {
        const string Content = "\n  def f():\n    return \"<b>&amp;</b>\" < 3\n\n";
        var qwen = Read.Of(TextCallFormat.QwenCoder, Qwen("write_file", ("content", Content)));
        var glm = Read.Of(
            TextCallFormat.Glm,
            $"<tool_call>write_file<arg_key>content</arg_key><arg_value>{Content}</arg_value></tool_call>"
        );

        foreach (var read in (Read[])[qwen, glm])
        {
            var arguments = JsonDocument.Parse(Assert.Single(read.Calls).Arguments).RootElement;
            Assert.Equal(Content, arguments.GetProperty("content").GetString());
        }
    }

    [Fact]
    public void What_a_tool_is_to_write_may_speak_of_markers()
    {
        const string Content = "Use <tool_call> and </tool_call>, </function> or <|tool_call_end|> and <｜tool▁call▁end｜>.";
        var json = $$"""{"path":"a","content":"{{Content}}"}""";
        (TextCallFormat, string)[] outputs =
        [
            (TextCallFormat.QwenCoder, Qwen("write_file", ("path", "a"), ("content", Content))),
            (
                TextCallFormat.Glm,
                $"<tool_call>write_file<arg_key>path</arg_key><arg_value>a</arg_value><arg_key>content</arg_key><arg_value>{Content}</arg_value></tool_call>"
            ),
            (TextCallFormat.Hermes, $$"""<tool_call>{"name":"write_file","arguments":{{json}}}</tool_call>"""),
            (
                TextCallFormat.KimiK2,
                $"<|tool_call_begin|>functions.write_file:1<|tool_call_argument_begin|>{json}<|tool_call_end|>"
            ),
            (
                TextCallFormat.DeepSeekV31,
                $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>write_file<｜tool▁sep｜>{json}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
            ),
        ];

        Assert.All(outputs, output => Assert.Equal([("write_file", json, false)], Read.Of(output.Item1, output.Item2).Said));
    }

    [Fact]
    public void A_value_that_holds_a_call_of_its_own_is_not_believed()
    {
        var inner = Qwen("write_file", ("path", "b"));
        var qwen = Read.Of(TextCallFormat.QwenCoder, Qwen("write_file", ("path", "a"), ("content", $"see\n{inner}\nend")));
        var glm = Read.Of(
            TextCallFormat.Glm,
            "<tool_call>write_file<arg_key>content</arg_key><arg_value>see <arg_key>x</arg_key><arg_value>1</arg_value></arg_value></tool_call>"
        );

        Assert.NotNull(qwen.Calls[0].Problem);
        Assert.NotNull(glm.Calls[0].Problem);
    }

    [Fact]
    public void A_parameter_that_was_not_closed_ends_where_another_of_the_tools_own_begins()
    {
        var read = Read.Of(
            TextCallFormat.QwenCoder,
            "<tool_call>\n<function=get_weather>\n<parameter=city>\nBonn\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>"
        );

        Assert.Equal([("get_weather", """{"city":"Bonn","days":3}""", false)], read.Said);
    }

    [Theory]
    [InlineData("<function=get_weather>\n<parameter=city>\nBonn\n</parameter>\n</function>")]
    [InlineData("<function=get_weather><parameter=city>Bonn</parameter></function></tool_call>")]
    [InlineData("<tool_call>\n<function=get_weather>\n<parameter=city>\nBonn\n</parameter>\n</tool_call>")]
    public void A_function_whose_frame_is_incomplete_is_a_call(string output)
    {
        Assert.Equal([("get_weather", """{"city":"Bonn"}""", false)], Read.Of(TextCallFormat.QwenCoder, output).Said);
    }

    [Theory]
    [InlineData(TextCallFormat.QwenCoder, "<tool_call>get_weather()</tool_call>")]
    [InlineData(TextCallFormat.QwenCoder, "<tool_call></tool_call>")]
    [InlineData(TextCallFormat.QwenCoder, "<function=></function>")]
    [InlineData(TextCallFormat.QwenCoder, "<function=a>text<parameter=b>c</parameter></function>")]
    [InlineData(TextCallFormat.QwenCoder, "<function=a><parameter=b>c</parameter><parameter=b>d</parameter></function>")]
    [InlineData(TextCallFormat.QwenCoder, "<function=a<parameter=b>c</parameter></function>")]
    [InlineData(TextCallFormat.Hermes, "<tool_call>get_weather()</tool_call>")]
    [InlineData(TextCallFormat.Hermes, "<tool_call></tool_call>")]
    [InlineData(TextCallFormat.Hermes, "<tool_call>[1]</tool_call>")]
    [InlineData(TextCallFormat.Hermes, "<tool_call>{\"arguments\":{}}</tool_call>")]
    [InlineData(TextCallFormat.Hermes, "<tool_call>{\"name\":\"a\",\"arguments\":[1]}</tool_call>")]
    [InlineData(TextCallFormat.Hermes, "<tool_call>{\"name\":\"a\",\"arguments\":{\"b\":1}</tool_call>")]
    [InlineData(TextCallFormat.Glm, "<tool_call></tool_call>")]
    [InlineData(TextCallFormat.Glm, "<tool_call>a<arg_key>b</arg_key></tool_call>")]
    [InlineData(TextCallFormat.Glm, "<tool_call>a<arg_key>b</arg_key>c<arg_value>d</arg_value></tool_call>")]
    [InlineData(TextCallFormat.Glm, "<tool_call>a<arg_value>d</arg_value></tool_call>")]
    [InlineData(TextCallFormat.KimiK2, "<|tool_call_begin|>a:0<|tool_call_end|>")]
    [InlineData(TextCallFormat.KimiK2, "<|tool_call_begin|>a:0<|tool_call_argument_begin|>{\"b\":<|tool_call_end|>")]
    [InlineData(TextCallFormat.KimiK2, "<|tool_call_begin|><|tool_call_argument_begin|>{}<|tool_call_end|>")]
    [InlineData(TextCallFormat.DeepSeekV31, "<｜tool▁call▁begin｜>a<｜tool▁call▁end｜>")]
    [InlineData(TextCallFormat.DeepSeekV31, "<｜tool▁call▁begin｜>a<｜tool▁sep｜>b<｜tool▁call▁end｜>")]
    public void A_malformed_call_is_told_to_be_one_and_is_no_prose(TextCallFormat format, string output)
    {
        var read = Read.Of(format, $"Hi. {output}");

        Assert.Equal("Hi. ", read.Text);
        Assert.NotNull(Assert.Single(read.Calls).Problem);
    }

    [Theory]
    [InlineData("functions.a.b:12", "a.b")]
    [InlineData("a:0", "a")]
    [InlineData("a", "a")]
    [InlineData("functions.a:b", "a:b")]
    public void A_name_with_a_number_is_an_id(string id, string name)
    {
        var read = Read.Of(TextCallFormat.KimiK2, $"<|tool_call_begin|> {id} <|tool_call_argument_begin|><|tool_call_end|>");

        Assert.Equal((id, name, "{}"), (read.Calls[0].ProviderId, read.Calls[0].Name, read.Calls[0].Arguments));
        Assert.Null(read.Calls[0].Problem);
    }

    [Fact]
    public void A_broken_call_does_not_take_the_next_one_with_it()
    {
        var read = Read.Of(
            TextCallFormat.KimiK2,
            "<|tool_calls_section_begin|><|tool_call_begin|>a:0<|tool_call_argument_begin|>{\"b\": <|tool_call_begin|>c:1"
                + "<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>"
        );

        Assert.Equal([("a", "{\"b\": ", true), ("c", "{}", false)], read.Said);
    }

    [Fact]
    public void Whatever_markers_come_in_whatever_order_nothing_breaks_and_pieces_make_no_difference()
    {
        string[] bits =
        [
            "<tool_call>",
            "</tool_call>",
            "<function=",
            "a>",
            "</function>",
            "<parameter=",
            "city>",
            "\n",
            "</parameter>",
            "<arg_key>",
            "</arg_key>",
            "<arg_value>",
            "</arg_value>",
            "{\"name\":\"a\",",
            "\"arguments\":{}}",
            "{}",
            "\"",
            "\\",
            "<|tool_calls_section_begin|>",
            "<|tool_call_begin|>",
            "<|tool_call_argument_begin|>",
            "<|tool_call_end|>",
            "<|tool_calls_section_end|>",
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁call▁begin｜>",
            "<｜tool▁sep｜>",
            "<｜tool▁call▁end｜>",
            "<｜tool▁calls▁end｜>",
            "<",
            " word ",
            "😀",
        ];
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            var format = (TextCallFormat)(round % Enum.GetValues<TextCallFormat>().Length);
            var output = string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => bits[random.Next(bits.Length)]));
            var wasCut = random.Next(2) == 0;
            var whole = Read.Of(format, output, wasCut: wasCut);
            var parted = Read.Of(format, output, () => random.Next(1, 6), wasCut);

            Assert.True(whole.Text == parted.Text && whole.Calls.SequenceEqual(parted.Calls), $"seed {seed}: {format} {output}");
            Assert.All(
                whole.Calls.Where(call => call.Problem is null),
                call => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(call.Arguments).RootElement.ValueKind)
            );
        }
    }

    [Theory]
    [InlineData("qwen3-coder-xml", TextCallFormat.QwenCoder)]
    [InlineData("Hermes", TextCallFormat.Hermes)]
    [InlineData("banana", null)]
    public void Formats_are_chosen_by_a_word(string word, TextCallFormat? format)
    {
        Assert.Equal(format, TextCallFormats.Find(word));
    }

    [Fact]
    public void Broken_unicode_breaks_nothing()
    {
        foreach (var format in Enum.GetValues<TextCallFormat>())
        {
            var call = OneCallEach().Single(row => row.Data.Item1 == format).Data.Item2.Replace("Bonn", "B\ud83d");

            Assert.Equal(
                "B\ufffd",
                JsonDocument.Parse(Read.Of(format, call).Calls[0].Arguments).RootElement.GetProperty("city").GetString()
            );
        }
    }

    [Theory]
    [InlineData("stop", StopReason.Done, false)]
    [InlineData("length", StopReason.OutputLimit, true)]
    public async Task In_chat_completions_they_are_calls_where_that_was_chosen(string reason, StopReason stop, bool isCut)
    {
        var output = Qwen("get_weather", ("city", "Bonn"));
        var text = $"I look. {(isCut ? output[..^20] : output)}";
        var stream = new StringBuilder();
        foreach (var piece in text.Chunk(7))
        {
            stream.Append($$$"""data: {"choices":[{"delta":{"content":{{{Json(new string(piece))}}}}}]}""" + "\n\n");
        }

        stream.Append($$"""data: {"choices":[{"delta":{},"finish_reason":"{{reason}}"}]}""" + "\n\ndata: [DONE]\n\n");
        var asking = new Asking(OpenAIProvider.Definition);
        var bytes = Encoding.UTF8.GetBytes(stream.ToString());

        var off = await asking.AskAsync(bytes);
        var on = await asking.AskAsync(bytes, options: asking.Options() with { TextCalls = TextCallFormat.QwenCoder });

        Assert.Equal((text, 0), (off.Text, off.Calls.Count));
        Assert.Equal(("I look. ", stop), (on.Text, on.Finished!.Stop));
        Assert.Equal(("get_weather", isCut), (on.Calls[0].Name, on.Calls[0].Problem is not null));
    }

    private static string Json(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private static TimeSpan Took(TextCallFormat format, string unit, int length)
    {
        var text = new StringBuilder().Insert(0, unit, length / unit.Length).ToString();
        var before = ThreadTime();
        var parser = TextCallParser.For(format, Read.Tools)!;
        for (var at = 0; at < text.Length; at += 3)
        {
            parser.Take(text.Substring(at, Math.Min(3, text.Length - at)));
        }

        parser.Close(wasCut: false);
        TextCallParser.For(format, Read.Tools)!.Take(text);
        return ThreadTime() - before;
    }

    /// <summary>What this thread has computed: what else the machine does is no part of it.</summary>
    private static TimeSpan ThreadTime() =>
        OperatingSystem.IsLinux()
            ? TimeSpan.FromMicroseconds(
                long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1000.0
            )
            : Stopwatch.GetElapsedTime(0);

    private static string Qwen(string function, params (string Name, string Value)[] parameters) =>
        $"<tool_call>\n<function={function}>\n"
        + string.Concat(parameters.Select(parameter => $"<parameter={parameter.Name}>\n{parameter.Value}\n</parameter>\n"))
        + "</function>\n</tool_call>";
}
