using Kata.Integration.Tests.Cri;

namespace Kata.Integration.Tests.Networks;

/// <summary>A CRI service whose pods' network is a chain of plugins, in a network namespace that has a name.</summary>
public sealed class CriNetworkFixture : CriFixture
{
    internal EngineNetwork Network { get; private set; } = null!;

    private protected override string[] Launcher => Network.Launcher;

    private protected override string ChainedPlugins => """
        , { "type": "portmap", "capabilities": { "portMappings": true } },
          { "type": "bandwidth", "capabilities": { "bandwidth": true } }
        """;

    private protected override async Task PrepareAsync()
    {
        if (EngineNetwork.Problem is null)
        {
            Network = await EngineNetwork.CreateAsync();
            await base.PrepareAsync();
        }
    }

    private protected override Task CleanUpAsync() => Network?.RemoveAsync() ?? Task.CompletedTask;
}
