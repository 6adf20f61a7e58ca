using System.Text.Json;
using Thole.Core.Workspaces;
using Thole.Testing;

namespace Thole.Core.Tests.Workspaces;

public sealed class ChildEnvironmentSpecs
{
    [Theory]
    [InlineData("LD_PRELOAD")]
    [InlineData("LD_LIBRARY_PATH")]
    [InlineData("DYLD_INSERT_LIBRARIES")]
    [InlineData("DOTNET_STARTUP_HOOKS")]
    [InlineData("DOTNET_DiagnosticPorts")]
    [InlineData("CORECLR_PROFILER")]
    [InlineData("NODE_OPTIONS")]
    [InlineData("BASH_ENV")]
    [InlineData("ENV")]
    [InlineData("BASH_FUNC_ls%%")]
    [InlineData("PYTHONSTARTUP")]
    [InlineData("PERL5OPT")]
    [InlineData("RUBYOPT")]
    [InlineData("_JAVA_OPTIONS")]
    [InlineData("OPENAI_API_KEY")]
    [InlineData("ANTHROPIC_AUTH_TOKEN")]
    [InlineData("DASHSCOPE_API_KEY")]
    [InlineData("MODELSCOPE_API_KEY")]
    [InlineData("ACME_API_KEY")]
    [InlineData("THOLE_SERVER_TOKEN")]
    [InlineData("GITHUB_TOKEN")]
    [InlineData("gh_token")]
    [InlineData("NPM_CONFIG__authToken")]
    [InlineData("AWS_SECRET_ACCESS_KEY")]
    [InlineData("AZURE_CLIENT_ID")]
    [InlineData("GOOGLE_APPLICATION_CREDENTIALS")]
    [InlineData("CLIENT_SECRET")]
    [InlineData("DB_PASSWORD")]
    public void Secrets_and_loaders_are_kept_back_unless_the_user_passes_them(string name)
    {
        KeyValuePair<string, string>[] parent = [new(name, "value"), new("LANG", "C.UTF-8")];

        Assert.DoesNotContain(name, new ChildEnvironment([]).From(parent).Keys);
        Assert.Equal("value", new ChildEnvironment([name]).From(parent)[name]);
        Assert.Equal("C.UTF-8", new ChildEnvironment([]).From(parent)["LANG"]);
    }

    [Theory]
    [InlineData("HOME")]
    [InlineData("USER")]
    [InlineData("LANG")]
    [InlineData("SSH_AUTH_SOCK")]
    [InlineData("DOTNET_ROOT")]
    [InlineData("DOTNET_CLI_HOME")]
    [InlineData("JAVA_HOME")]
    [InlineData("GOPATH")]
    [InlineData("CARGO_HOME")]
    [InlineData("HTTPS_PROXY")]
    [InlineData("NODE_ENV")]
    [InlineData("PYTHONPATH")]
    [InlineData("KEYBOARD")]
    public void What_builds_need_is_passed_on(string name)
    {
        Assert.Equal("/x", new ChildEnvironment([]).From([new(name, "/x")])[name]);
    }

    [Fact]
    public void Nobody_is_watching_and_programs_are_told()
    {
        var child = new ChildEnvironment([]).From([new("PAGER", "less"), new("TERM", "xterm"), new("GIT_TERMINAL_PROMPT", "1")]);

        Assert.Equal(
            "GIT_PAGER=cat GIT_TERMINAL_PROMPT=0 NO_COLOR=1 PAGER=cat TERM=dumb THOLE=1",
            string.Join(' ', child.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"))
        );
    }

    [Fact]
    public void The_search_path_leads_to_no_place_that_depends_on_where_one_stands()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "writes paths as on Unix");
        Assert.Equal(
            "/usr/bin:/bin",
            new ChildEnvironment([]).From([new("PATH", ":./bin:/usr/bin::node_modules/.bin:/bin:.")])["PATH"]
        );
    }

    [Fact]
    public void Every_name_of_the_dictionary_stays_with_us()
    {
        foreach (var pattern in Dictionary("env_never_to_children"))
        {
            if (!pattern.Contains(' '))
            {
                Assert.True(ChildEnvironment.IsKeptBack(pattern.Replace("*", "SOME")), pattern);
            }
        }
    }

    [Fact]
    public void Every_name_of_the_dictionary_is_refused_from_a_workspace()
    {
        foreach (var pattern in Dictionary("env_never_from_workspace"))
        {
            Assert.True(ChildEnvironment.IsRefusedFromWorkspace(pattern.Replace("*", "SOME")), pattern);
        }

        Assert.False(ChildEnvironment.IsRefusedFromWorkspace("RUST_LOG"));
        Assert.False(ChildEnvironment.IsRefusedFromWorkspace("DATABASE_URL"));
    }

    private static IEnumerable<string> Dictionary(string name)
    {
        var file = Path.Join(Acceptance.Folder, "attacks", "dictionaries.json");
        Assert.SkipUnless(File.Exists(file), "needs the acceptance data: set THOLE_ACCEPTANCE to its folder");
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. json.RootElement.GetProperty(name).EnumerateArray().Select(entry => entry.GetString()!)];
    }
}
