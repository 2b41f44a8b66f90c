using Kata.Integration.Tests.Clients;

namespace Kata.Integration.Tests.Networks;

/// <summary>podman with two networks of its own, the default one and <see cref="More"/>, in a network namespace of its own.</summary>
public sealed class PodmanNetworkFixture : PodmanFixture
{
    internal const string More = "more";

    internal EngineNetwork Network { get; private set; } = null!;

    private protected override string? EngineProblem => base.EngineProblem ?? EngineNetwork.Problem;

    private protected override string[] Launcher => Network.Launcher;

    private protected override string[] Networks => ["--network-config-dir", NetworksFolder];

    private protected override string[] ContainerNetwork => [];

    private string NetworksFolder => Path.Combine(DirectoryPath, "networks");

    private protected override async Task PrepareAsync()
    {
        if (EngineProblem is null)
        {
            Network = await EngineNetwork.CreateAsync();
            Directory.CreateDirectory(NetworksFolder);
            await AddAsync("podman", "10.88.0");
            await AddAsync(More, "10.93.0");
            await base.PrepareAsync();
        }
    }

    private protected override Task CleanUpAsync() => Network?.RemoveAsync() ?? Task.CompletedTask;

    // As 'podman network create' makes one, but for the leases: those would be the host's.
    private Task AddAsync(string name, string prefix) => File.WriteAllTextAsync(Path.Combine(NetworksFolder, $"{name}.conflist"), $$"""
        { "cniVersion": "0.4.0", "name": "{{name}}", "plugins": [
          { "type": "bridge", "bridge": "cni-{{name}}", "isGateway": true, "ipMasq": true, "hairpinMode": true,
            "ipam": { "type": "host-local", "dataDir": "{{NetworksFolder}}/leases", "routes": [{ "dst": "0.0.0.0/0" }],
              "ranges": [[{ "subnet": "{{prefix}}.0/24", "gateway": "{{prefix}}.1" }]] } },
          { "type": "portmap", "capabilities": { "portMappings": true } },
          { "type": "firewall", "backend": "" },
          { "type": "tuning" } ] }
        """);
}
