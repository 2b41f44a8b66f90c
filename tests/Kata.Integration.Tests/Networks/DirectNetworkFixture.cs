using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>Pods whose network a file names.</summary>
public sealed class DirectNetworkFixture : RuntimeFixture
{
    internal string FileOf(string pod) => Path.Combine(DirectoryPath, "dans", $"{pod}.json");

    /// <summary>What a plugin writes for a pod of one card, 10.77.0.2/24.</summary>
    internal static string Document(string device, string? space = null) => $$"""
        {
          {{(space is null ? "" : $"\"netns\": \"{space}\",")}}
          "devices": [{
            "name": "lan0",
            "guest_mac": "02:00:00:00:77:02",
            "device": {{device}},
            "network_info": {
              "interface": { "ip_addresses": ["10.77.0.2/24"], "mtu": 1400, "ntype": "tuntap", "flags": 0 },
              "routes": [{ "dest": "10.88.0.0/16", "gateway": "10.77.0.1", "source": "", "scope": 0 }],
              "neighbors": [{ "ip_address": "10.77.0.99/24", "hardware_addr": "02:00:00:00:77:99", "state": 0, "flags": 0 }]
            }
          }]
        }
        """;

    /// <summary>Runs a pod with such a file, whose programs may use raw sockets.</summary>
    internal async Task<(string Pod, CommandResult Result)> TryStartAsync(string document)
    {
        string pod = NewId();
        await File.WriteAllTextAsync(FileOf(pod), document);
        TestBundle bundle = NewBundle().Args("sleep", "100000");
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            bundle.Process["capabilities"]![set]!.AsArray().Add((JsonNode)"CAP_NET_RAW");
        }

        return (pod, (await RunDetachedAsync("run", "--detach", "--bundle", bundle.Write(), pod)).Result);
    }

    /// <inheritdoc cref="TryStartAsync"/>
    internal async Task<string> StartAsync(string document)
    {
        (string pod, CommandResult result) = await TryStartAsync(document);
        result.Ok();
        return pod;
    }

    /// <summary>What a script in a pod writes; it has to succeed.</summary>
    internal async Task<string> ShellAsync(string pod, string script) => (await ExecShellAsync(pod, script)).Ok().Text;

    private protected override Task PrepareAsync()
    {
        Directory.CreateDirectory(Path.Combine(DirectoryPath, "dans"));
        return File.WriteAllTextAsync(
            ConfigurationFile,
            $"""
            [hypervisor.qemu]
            default_memory = 256
            [runtime]
            dan_conf = "{DirectoryPath}/dans"
            [kata]
            boot_timeout = 240
            request_timeout = 120

            """);
    }
}
