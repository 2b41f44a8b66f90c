using Microsoft.Extensions.Logging;

namespace Kata.Agent.Containers;

/// <summary>Removes what the guest has of a container, whole or half made.</summary>
internal sealed class ContainerCleaner(ContainerMounts mounts, ILogger logger)
{
    // Killed processes end at once unless the kernel is stuck in a device.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <summary>Goes on after a failure: what is left behind is logged, and never hides why the container ended here.</summary>
    public async Task RemoveAsync(Container container)
    {
        container.Dispose();
        await RemoveCgroupAsync(container);
        foreach (string mount in await mounts.ReleaseAsync(container))
        {
            logger.CleanupIncomplete(container.Id.Value, $"'{mount}' is still mounted");
        }

        if (container.Notifications is { } notifications)
        {
            Attempt(container, () => DeleteTree(Path.GetDirectoryName(notifications.Path)!));
        }

        Attempt(container, () => DeleteTree($"{Crun.StateRoot}/{container.Id.CrunName}"));
        Attempt(container, () => DeleteTree(container.Directory));
    }

    // The kernel takes a killed process out of its group when it has ended, and no group away before.
    private async Task RemoveCgroupAsync(Container container)
    {
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            container.Cgroup.Kill();
            await container.Cgroup.WaitEventAsync("populated", "0", limit.Token);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // Its removal says why not.
        }

        Attempt(container, container.Cgroup.Remove);
    }

    private void Attempt(Container container, Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            logger.CleanupIncomplete(container.Id.Value, ErrorText.CauseOf(error));
        }
    }

    private static void DeleteTree(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true); // never follows links
        }
    }
}
