using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>
/// A list of network plugins, run as an engine's library runs it: one after the other with the result before, and the other way round to
/// delete. The namespace at the other end of a test's links plays the host's.
/// </summary>
/// <param name="network">Whose host it is.</param>
/// <param name="directory">For links to the plugins, and what host-local keeps.</param>
/// <param name="name">The network.</param>
/// <param name="interfaceName">What it is called in the pod.</param>
/// <param name="plugins">One after the other, without what is common to them.</param>
internal sealed class CniChain(TestNetwork network, string directory, string name, string interfaceName, params JsonObject[] plugins)
{
    public const string Version = "1.0.0";

    private const string Plugins = "/usr/lib/cni";
    private const string Ours = "kata-cni";

    /// <summary>The result of the last ADD.</summary>
    public JsonNode? Result { get; set; }

    public static void Require() =>
        Assert.SkipUnless(File.Exists($"{Plugins}/bridge"), "needs CNI plugins (Debian: apt-get install containernetworking-plugins)");

    /// <summary>A bridge with 10.NUMBER.0.1, a plugin that changes the interface, and ours.</summary>
    /// <param name="network">Whose host it is.</param>
    /// <param name="host">The fixture.</param>
    /// <param name="number">Of the chain.</param>
    /// <param name="interfaceName">What it is called in the pod.</param>
    /// <param name="tuning">What else the plugin between is to change.</param>
    public static CniChain Bridge(
        TestNetwork network, RuntimeFixture host, int number, string interfaceName,
        IEnumerable<KeyValuePair<string, JsonNode?>>? tuning = null) => new(
        network, host.DirectoryPath, $"net{number}", interfaceName,
        new JsonObject
        {
            ["type"] = "bridge",
            ["bridge"] = $"kb{number}",
            ["isGateway"] = true,
            ["ipMasq"] = true,
            ["ipam"] = new JsonObject
            {
                ["type"] = "host-local",
                ["dataDir"] = $"{host.DirectoryPath}/leases",
                ["ranges"] = new JsonArray(new JsonArray(new JsonObject { ["subnet"] = $"10.{number}.0.0/24" })),
                ["routes"] = new JsonArray(new JsonObject { ["dst"] = $"10.{number + 100}.0.0/16", ["gw"] = $"10.{number}.0.1" }),
            },
        },
        new JsonObject([new("type", "tuning"), new("mtu", 1400), .. tuning ?? []]),
        OfKata(host));

    /// <summary>Ours, with the fixture's pods.</summary>
    public static JsonObject OfKata(RuntimeFixture host) =>
        new() { ["type"] = Ours, ["root"] = host.Root, ["configuration"] = host.ConfigurationFile };

    /// <summary>Runs them all up to the first that fails.</summary>
    public async Task<CommandResult> AddAsync()
    {
        CommandResult last = new(0, [], "");
        foreach (JsonObject plugin in plugins)
        {
            last = await RunAsync("ADD", plugin);
            if (last.ExitCode != 0)
            {
                return last;
            }

            Result = JsonNode.Parse(last.Text);
        }

        return last;
    }

    /// <summary>All but ours, which has yet to be run.</summary>
    public async Task AddOthersAsync()
    {
        foreach (JsonObject plugin in plugins.Where(static item => item["type"]!.ToString() != Ours))
        {
            Result = JsonNode.Parse((await RunAsync("ADD", plugin)).Ok().Text);
        }
    }

    /// <summary>Starts ours alone.</summary>
    public RunningCommand StartOurs(string command) => Start(command, OurPlugin, out _);

    /// <summary>Ours alone.</summary>
    public Task<CommandResult> OursAsync(string command) => RunAsync(command, OurPlugin);

    public async Task CheckAsync()
    {
        foreach (JsonObject plugin in plugins)
        {
            Assert.Equal("", (await RunAsync("CHECK", plugin)).Ok().Text);
        }
    }

    public async Task DeleteAsync()
    {
        foreach (JsonObject plugin in plugins.Reverse())
        {
            (await RunAsync("DEL", plugin)).Ok();
        }
    }

    /// <summary>What ours is given.</summary>
    public byte[] Configuration(JsonObject plugin)
    {
        var configuration = (JsonObject)plugin.DeepClone();
        configuration["cniVersion"] = Version;
        configuration["name"] = name;
        configuration["prevResult"] = Result?.DeepClone();
        return RuntimeFixture.Bytes(configuration.ToJsonString());
    }

    private JsonObject OurPlugin => plugins.Single(static item => item["type"]!.ToString() == Ours);

    private async Task<CommandResult> RunAsync(string command, JsonObject plugin)
    {
        using RunningCommand running = Start(command, plugin, out byte[] input);
        return await running.FinishAsync(input, RuntimeFixture.Limit);
    }

    private RunningCommand Start(string command, JsonObject plugin, out byte[] input)
    {
        input = Configuration(plugin);
        string ours = Path.Combine(directory, Ours);
        if (!File.Exists(ours))
        {
            try
            {
                File.CreateSymbolicLink(ours, RuntimeFixture.RuntimePath!);
            }
            catch (IOException) when (File.Exists(ours))
            {
                // another one of the test's was faster
            }
        }

        string type = plugin["type"]!.ToString();
        return network.StartOnWire(
            "/usr/bin/env", $"CNI_COMMAND={command}", $"CNI_CONTAINERID={network.Pod}", $"CNI_NETNS={network.Path}",
            $"CNI_IFNAME={interfaceName}", $"CNI_PATH={Plugins}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            type == Ours ? ours : Path.Combine(Plugins, type));
    }
}
