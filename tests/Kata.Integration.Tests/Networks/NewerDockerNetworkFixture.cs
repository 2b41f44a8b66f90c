using Kata.Integration.Tests.Clients;

namespace Kata.Integration.Tests.Networks;

/// <summary>The same as <see cref="DockerNetworkFixture"/> with Debian 13's, which connects a container once it is created.</summary>
public sealed class NewerDockerNetworkFixture : NewerDockerFixture
{
    internal EngineNetwork Network { get; private set; } = null!;

    private protected override string? EngineProblem => base.EngineProblem ?? EngineNetwork.Problem;

    private protected override string[] Launcher => Network.Launcher;

    private protected override string[] Networking => [];

    private protected override string[] ContainerNetwork => [];

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
