using Kata.Integration.Tests.Cri;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>A CRI service whose pods' network is a chain of plugins, in a network namespace that has a name.</summary>
public sealed class CriNetworkFixture : CriFixture
{
    internal EngineNetwork Network { get; private set; } = null!;

    internal string KataPlugin => Path.Combine(PluginDirectory, "kata-cni");

    private protected override string[] Launcher => Network.Launcher;

    private protected override string PluginDirectory => Path.Combine(Folder, "plugins");

    private protected override string ChainedPlugins => """
        , { "type": "portmap", "capabilities": { "portMappings": true } },
          { "type": "bandwidth", "capabilities": { "bandwidth": true } },
          { "type": "kata-cni" }
        """;

    private protected override async Task PrepareAsync()
    {
        if (EngineNetwork.Problem is null)
        {
            Network = await EngineNetwork.CreateAsync();
            Directory.CreateDirectory(PluginDirectory);
            foreach (string plugin in Directory.GetFiles(Plugins))
            {
                File.CreateSymbolicLink(Path.Combine(PluginDirectory, Path.GetFileName(plugin)), plugin);
            }

            File.CreateSymbolicLink(KataPlugin, RuntimeFixture.RuntimePath!);
            await base.PrepareAsync();
        }
    }

    private protected override Task CleanUpAsync() => Network?.RemoveAsync() ?? Task.CompletedTask;
}
