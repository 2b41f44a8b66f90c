using Kata.Integration.Tests.Clients;

namespace Kata.Integration.Tests.Networks;

/// <summary>A docker daemon as it is by default, with its bridge and its rules, in a network namespace of its own.</summary>
public sealed class DockerNetworkFixture : DockerFixture
{
    internal EngineNetwork Network { get; private set; } = null!;

    private protected override string? EngineProblem => base.EngineProblem ?? EngineNetwork.Problem;

    private protected override string[] Launcher => Network.Launcher;

    private protected override string[] Networking => [];

    private protected override string[] ContainerNetwork => [];

    private protected override async Task PrepareAsync()
    {
        if (EngineProblem is null)
        {
            Network = await EngineNetwork.CreateAsync();
            await base.PrepareAsync();
        }
    }

    private protected override Task CleanUpAsync() => Network?.RemoveAsync() ?? Task.CompletedTask;
}
