namespace Kata.Integration.Tests.Harness;

/// <summary>One pod for all tests of a class, in which each runs containers of its own: what a boot costs is paid once.</summary>
public class PodFixture : RuntimeFixture
{
    internal string PodId { get; private set; } = "";

    private protected override async Task PrepareAsync() => PodId = await StartSleeperAsync(static bundle => bundle.AsPod());

    /// <summary>A bundle for a container of the pod.</summary>
    internal TestBundle NewPodBundle() => NewBundle().InPod(PodId);

    /// <summary>Runs a container in the pod to its end.</summary>
    internal Task<CommandResult> RunContainerAsync(TestBundle bundle, ReadOnlyMemory<byte> input = default) =>
        RunAsync(["run", "--bundle", bundle.Write(), NewId()], input, Limit);

    internal Task<CommandResult> RunShellAsync(string script, Action<TestBundle>? edit = null)
    {
        TestBundle bundle = NewPodBundle().Shell(script);
        edit?.Invoke(bundle);
        return RunContainerAsync(bundle);
    }
}
