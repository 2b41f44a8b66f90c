using Kata.Sandbox;

namespace Kata.Service;

/// <summary>
/// Containers that have ended and that nobody can delete any more. An engine whose own watcher was killed (podman's conmon) may
/// forget to: it kills the program, removes the bundle and never asks for the delete. A runtime without a virtual machine leaves a
/// small file then; ours would leave the machine.
/// </summary>
internal sealed partial class TaskService
{
    /// <summary>
    /// Between two looks, only while a container is stopped. An engine removes the bundle within moments of the delete; two looks in a
    /// row leave it time for either order.
    /// </summary>
    private static readonly TimeSpan s_abandonedInterval = TimeSpan.FromSeconds(4);

    /// <summary>Ends the pod when its directory was removed by somebody else, and with it the sockets that it is reached by. Ends with the service.</summary>
    public async System.Threading.Tasks.Task EndWhenUnreachableAsync()
    {
        await host.DirectoryGoneAsync();
        await life.Gate.WaitAsync(host.Stopping);
        try
        {
            if (!life.Ended.IsCompleted)
            {
                host.Environment.Log.DirectoryGone(host.Sandbox, host.Environment.Directories.Sandbox(host.Sandbox));
                try
                {
                    await DeleteAllAsync(); // each with its events, and its end told to who waits for it
                }
                finally
                {
                    if (!life.Ended.IsCompleted)
                    {
                        await life.EndAfterFailureAsync();
                    }
                }
            }
        }
        finally
        {
            life.Gate.Release();
        }
    }

    // Ends with the container's delete, by whomever, or the service.
    private async System.Threading.Tasks.Task DeleteAbandonedAsync(Container container)
    {
        await container.StoppedAsync();
        int missing = 0;
        while (missing < 2)
        {
            await System.Threading.Tasks.Task.Delay(s_abandonedInterval, host.Environment.Time, host.Stopping);
            if (life.Pod is null || !life.Pod.Has(container))
            {
                return;
            }

            missing = Directory.Exists(container.Plan.Bundle.Directory) ? 0 : missing + 1;
        }

        await life.Gate.WaitAsync(host.Stopping);
        try
        {
            if (life.Pod is { } pod && pod.Has(container))
            {
                host.Environment.Log.AbandonedDeleted(container.Plan.Id, container.Plan.Bundle.Directory);
                await DeleteAsync(container.Plan.Id, force: true);
            }
        }
        finally
        {
            life.Gate.Release();
        }
    }
}
