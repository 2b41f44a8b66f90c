using System.Text;
using System.Text.Json.Nodes;
using Kata.Runtime.Cni;

namespace Kata.Runtime.Tests.Cni;

/// <summary>The configuration that a plugin is given.</summary>
public sealed class CniConfigurationTests
{
    [Fact]
    public void Parse_OfAChain_HasWhatIsOurs()
    {
        var configuration = Parse(
            """
            {"cniVersion": "1.0.0", "name": "pods.1", "type": "kata-cni", "root": "/run/mine", "configuration": "/etc/mine.toml",
             "runtimeConfig": {"portMappings": []}, "args": null, "dns": {"domain": 7}, "prevResult": {"ips": []}}
            """);
        Assert.Equal(CniVersion.V100, configuration.Version);
        Assert.Equal(("/run/mine", "/etc/mine.toml"), (configuration.Root, configuration.ConfigurationFile));
        Assert.Empty(configuration.ReadPrevious().In("/run/netns/x"));
    }

    [Fact]
    public void Parse_OfLittle_HasTheDefaults()
    {
        var configuration = Parse("""{"cniVersion": "0.3.1", "name": "n", "root": null}""");
        Assert.Equal(("/run/kata", null), (configuration.Root, configuration.ConfigurationFile));
    }

    // An engine gives each plugin of a list its own part, with the list's version and name.
    [Theory]
    [InlineData("10-kata.conflist")]
    [InlineData("cni.md")]
    public void Parse_ListThatWeShow_HasUsLastAndIsTaken(string file)
    {
        string text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Deploy", file));
        string json = file.EndsWith(".md", StringComparison.Ordinal) ? text.Split("```")[1] : text;
        JsonNode list = JsonNode.Parse(json)!;
        JsonArray plugins = list["plugins"]!.AsArray();
        Assert.Equal(["bridge", "portmap", CniProgram.Name], plugins.Select(static item => item!["type"]!.ToString()));
        JsonNode ours = plugins[^1]!;
        ours["cniVersion"] = list["cniVersion"]!.DeepClone();
        ours["name"] = list["name"]!.DeepClone();
        Assert.Equal(CniVersion.V100, Parse(ours.ToJsonString()).Version);
    }

    [Theory]
    [InlineData("", 6, "it is no JSON in line 1")]
    [InlineData("{\n", 6, "it is no JSON in line 2")]
    [InlineData("null", 6, "it is no object")]
    [InlineData("[]", 6, "it is no object")]
    [InlineData("{\"cniVersion\": 1}", 6, "'cniVersion' is not of the kind 'String'")]
    [InlineData("{\"cniVersion\": \"1.0.0\",\n\"name\": []}", 6, "'name' is not of the kind 'String'")]
    [InlineData("{\"cniVersion\": \"1.0.0\", \"name\": \"\\ud800\"}", 6, "'name' is no text")]
    [InlineData("{\"cniVersion\": \"1.0.0\", \"name\": \"n\"} x", 6, "it is no JSON in line 1")]
    [InlineData("{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"name\": \"m\"}", 6, "it is no JSON")]
    [InlineData("{\"\\udc00\": 1}", 6, "it has a name that is no text")]
    [InlineData("{\"name\": \"n\"}", 1, "it has no 'cniVersion'")]
    [InlineData("{\"cniVersion\": null, \"name\": \"n\"}", 1, "it has no 'cniVersion'")]
    [InlineData("{\"cniVersion\": \"0.2.0\", \"name\": \"n\"}", 1, "its version is '0.2.0'")]
    [InlineData("{\"cniVersion\": \"1.2.0\", \"name\": \"n\"}", 1, "its version is '1.2.0'")]
    [InlineData("{\"cniVersion\": \"1.0.0\"}", 7, "it has no 'name'")]
    [InlineData("{\"cniVersion\": \"1.0.0\", \"name\": \"a/b\"}", 7, "'a/b' is no name of a network")]
    [InlineData("{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"root\": \"run\"}", 7, "'root' is 'run', which is no absolute path")]
    [InlineData("{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"configuration\": \"\"}", 7, "'configuration' is '', which is no")]
    public void Parse_Wrong_SaysWhat(string json, int code, string expected)
    {
        CniException error = Assert.Throws<CniException>(() => Parse(json));
        Assert.Equal(code, (int)error.Code);
        Assert.Contains(expected, error.Text, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remedy);
    }

    [Fact]
    public void Parse_NoUtf8_IsRefused() => Assert.Contains(
        "it is no UTF-8",
        Assert.Throws<CniException>(() => CniConfiguration.Parse(Encoding.Latin1.GetBytes("{\"ä\": 1}"), CniCommand.Add)).Text,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("0.3.1", "ADD DEL")]
    [InlineData("0.4.0", "ADD DEL CHECK")]
    [InlineData("1.0.0", "ADD DEL CHECK")]
    [InlineData("1.1.0", "ADD DEL CHECK STATUS GC")]
    public void Parse_CommandThatTheVersionDoesNotKnow_IsRefused(string version, string known)
    {
        foreach (CniCommand command in Enum.GetValues<CniCommand>().Where(static item => item != CniCommand.Version))
        {
            string json = $$"""{"cniVersion": "{{version}}", "name": "n"}""";
            string name = command.ToString().ToUpperInvariant();
            if (known.Split(' ').Contains(name))
            {
                Assert.Equal(version, Parse(json, command).Version.Text());
            }
            else
            {
                CniException error = Assert.Throws<CniException>(() => Parse(json, command));
                Assert.Equal(CniErrorCode.IncompatibleVersion, error.Code);
                Assert.StartsWith(
                    $"Cannot run '{name}': the network configuration has the version {version}", error.Text, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(", \"prevResult\": null")]
    public void ReadPrevious_ThereIsNone_SaysWhereThePluginBelongs(string rest)
    {
        CniException error = Assert.Throws<CniException>(() => Parse($$"""{"cniVersion": "1.0.0", "name": "n"{{rest}}}""").ReadPrevious());
        Assert.Equal(CniErrorCode.InvalidConfiguration, error.Code);
        Assert.Contains("it has no 'prevResult'", error.Text, StringComparison.Ordinal);
        Assert.Contains("after the one that does", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"cniVersion\": \"0.4.0\"}", "0.4.0")]
    [InlineData("{\"cniVersion\": \"9.0.0\"}", "9.0.0")]
    [InlineData("{}", "1.1.0")]
    [InlineData("", "1.1.0")]
    [InlineData("nonsense", "1.1.0")]
    public void VersionAsked_IsThatOrTheNewest(string json, string expected) =>
        Assert.Equal(expected, CniConfiguration.VersionAsked((ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(json)));

    private static CniConfiguration Parse(string json, CniCommand command = CniCommand.Add) =>
        CniConfiguration.Parse(Encoding.UTF8.GetBytes(json), command);
}
