using System.Diagnostics.CodeAnalysis;
using Kata.Agent.Protocol;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>Tells that the guest's kernel killed processes of a container for want of memory, each time once, whoever notices it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle to dispose of: nobody asks for one")]
internal sealed class OomReporter(Container container, PodSandbox pod)
{
    /// <summary>The agent answers within milliseconds or is in trouble; an exit is not held up for long by that.</summary>
    private static readonly TimeSpan s_checkTimeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private ulong _kills; // guarded by _turn

    /// <summary>
    /// Tells, once for each time, that the guest's kernel killed a process of the container for want of memory. Never fails.
    /// </summary>
    /// <param name="told">The agent said so; else it is asked, because its news may be on their way.</param>
    public async Task ReportAsync(bool told)
    {
        await _turn.WaitAsync();
        try
        {
            ulong? kills = await CountKillsAsync();
            if (kills is { } count ? count <= _kills : !told)
            {
                return;
            }

            _kills = kills ?? _kills;
        }
        finally
        {
            _turn.Release();
        }

        pod.Log.OutOfMemory(container.Plan.Id);
        Mark();
        pod.OutOfMemory(container.Plan.Id);
    }

    // An empty file 'oom' in the bundle is what podman and CRI-O look for.
    private void Mark()
    {
        string path = Path.Combine(container.Plan.Bundle.Directory, "oom");
        try
        {
            File.WriteAllBytes(path, []);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            pod.Log.OutOfMemoryMarkFailed(container.Plan.Id, path, FileErrors.CauseOf(error));
        }
    }

    // Null when the agent does not say.
    private async Task<ulong?> CountKillsAsync()
    {
        using var limit = new CancellationTokenSource(s_checkTimeout, pod.Time);
        try
        {
            StatsContainerResponse stats = await container.Resources.ReadAsync(limit.Token);
            return stats.CgroupStats?.MemoryStats?.Stats.TryGetValue(ContainerResources.EventPrefix + "oom_kill", out ulong kills) == true
                ? kills : null;
        }
        catch (AgentException)
        {
            return null;
        }
    }
}
