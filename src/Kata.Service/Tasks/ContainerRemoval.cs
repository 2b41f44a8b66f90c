using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Task = System.Threading.Tasks.Task;

namespace Kata.Service;

/// <summary>
/// How containers go: asked for, all at once, or because nobody can ask any more. With the last one the pod goes, unless it is held.
/// </summary>
internal sealed class ContainerRemoval(PodHost host, PodLife life, TaskEvents events, TaskStandIns standIns)
{
    /// <summary>
    /// Between two looks, only while a container is stopped. An engine removes the bundle within moments of the delete; two looks in a
    /// row leave it time for either order.
    /// </summary>
    private static readonly TimeSpan s_abandonedInterval = TimeSpan.FromSeconds(4);

    /// <summary>Deletes a container, and ends the pod when none is left.</summary>
    /// <param name="pod">Its pod.</param>
    /// <param name="container">The container.</param>
    /// <param name="force">Whether one that runs is ended. Of one that is being made, the making is.</param>
    /// <exception cref="SandboxStateException">It runs, was deleted meanwhile, or was never made.</exception>
    public async Task<DeleteResponse> DeleteAsync(PodSandbox pod, Container container, bool force)
    {
        ContainerClaim? claim = host.ClaimOf(container.Plan.Id);
        DeleteResponse response = await DeleteOneAsync(pod, container, force);
        // It is gone: whatever fails from here on, its id goes, and with the last one the service.
        var cleanUp = new CleanUp();
        bool wasLast = false;
        await EndIfEmptyAsync(() =>
        {
            wasLast = true;
            return cleanUp.TryAsync(() => life.EndAsync(container)); // releases the id too, last of all
        });
        if (!wasLast)
        {
            await cleanUp.TryAsync(container.Hooks.RunPoststopAsync);
            cleanUp.Try(() => host.Release(container.Plan.Id, claim));
            host.Track(MemoryTrim.RunAsync(host.Time));
        }

        cleanUp.ThrowIfFailed();
        return response;
    }

    /// <summary>Ends and deletes every container, each with its events. Under <see cref="PodLife.Gate"/>.</summary>
    public async Task DeleteAllAsync()
    {
        var cleanUp = new CleanUp();
        PodSandbox? pod = life.Pod;
        foreach (Container container in pod?.Containers ?? [])
        {
            await cleanUp.TryAsync(async () =>
            {
                ContainerClaim? claim = host.ClaimOf(container.Plan.Id);
                try
                {
                    await DeleteOneAsync(pod!, container, force: true);
                }
                catch (SandboxStateException)
                {
                    return; // it was being made, or somebody else deletes it
                }

                await container.Hooks.RunPoststopAsync();
                host.Release(container.Plan.Id, claim);
            });
        }

        cleanUp.ThrowIfFailed();
    }

    /// <summary>
    /// After a container did not come to be: runs its poststop hooks, ends a pod without containers, and gives the id back.
    /// </summary>
    /// <param name="id">The container's id.</param>
    /// <param name="container">The container, out of its pod; null when it never was in one.</param>
    /// <param name="claim">The claim of the id where it was made for this container, and so is not the caller's to give back.</param>
    /// <param name="gone">Called when only hooks are left, in a pod that goes on, or ends by somebody else.</param>
    public async Task LeaveAsync(ContainerId id, Container? container, ContainerClaim? claim, Action gone)
    {
        // One that ends already, by somebody else, is not waited for.
        if (life.Ending.IsCancellationRequested || !await EndIfEmptyAsync(() => life.EndAfterFailureAsync(container)))
        {
            gone();
        }

        await (container?.Hooks.RunPoststopAsync() ?? Task.CompletedTask); // unless the pod's end has run them
        host.Release(id, claim);
    }

    /// <summary>
    /// Deletes a container that has ended and that nobody can delete any more. An engine whose own watcher was killed (podman's conmon) may
    /// forget to: it kills the program, removes the bundle and never asks for the delete. A runtime without a virtual machine leaves a
    /// small file then; ours would leave the machine. Ends with the container's delete, by whomever, or the service.
    /// </summary>
    public async Task DeleteAbandonedAsync(PodSandbox pod, Container container)
    {
        await container.StoppedAsync();
        int missing = 0;
        while (missing < 2)
        {
            await Task.Delay(s_abandonedInterval, host.Time, host.Stopping);
            if (!pod.Has(container))
            {
                return;
            }

            missing = Directory.Exists(container.Plan.Bundle.Directory) ? 0 : missing + 1;
        }

        host.Log.AbandonedDeleted(container.Plan.Id, container.Plan.Bundle.Directory);
        try
        {
            await DeleteAsync(pod, container, force: true);
        }
        catch (SandboxStateException)
        {
            // Somebody has remembered it.
        }
    }

    /// <summary>
    /// Ends the pod when its directory was removed by somebody else, and with it the sockets that it is reached by. Ends with the service.
    /// </summary>
    public async Task EndWhenUnreachableAsync()
    {
        await host.DirectoryGoneAsync();
        await life.Gate.WaitAsync(host.Stopping);
        try
        {
            if (!life.Ended.IsCompleted)
            {
                host.Log.DirectoryGone(host.Sandbox, host.Directories.Sandbox(host.Sandbox));
                try
                {
                    await DeleteAllAsync(); // each with its events, and its end told to who waits for it
                }
                finally
                {
                    await life.EndAfterFailureAsync();
                }
            }
        }
        finally
        {
            life.Gate.Release();
        }
    }

    /// <summary>What a Delete answers.</summary>
    public static DeleteResponse Deleted(GuestProcess process, int pid)
    {
        ProcessExit exit = process.Exit!; // deleted: it has ended
        return new DeleteResponse { Pid = (uint)pid, ExitStatus = exit.Status, ExitedAt = Timestamp.FromDateTimeOffset(exit.At) };
    }

    private async Task<DeleteResponse> DeleteOneAsync(PodSandbox pod, Container container, bool force)
    {
        ContainerId id = container.Plan.Id;
        await (force ? container.CallOffAsync() : container.Made);
        if (!pod.Has(container))
        {
            throw SandboxStateException.NotFound("delete the container", "the container", id.Value); // it was never made
        }

        if (container.Init.Exit is not null)
        {
            await container.StoppedAsync(); // State has said so; what follows an exit is a moment behind
        }

        await pod.DeleteContainerAsync(container, force, CancellationToken.None);
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(() => standIns.DropAllAsync(id));
        DeleteResponse response = Deleted(container.Init, container.StandInPid);
        await cleanUp.TryAsync(() => events.PublishDeletedAsync(id.Value, response));
        if (cleanUp.Failure is { } failure)
        {
            host.Log.BackgroundFailed(ServiceStatus.TextOf(failure)); // it is deleted all the same
        }

        return response;
    }

    // Only here the pod's gate is needed: a create that comes meanwhile finds the pod, or that it is gone.
    private async Task<bool> EndIfEmptyAsync(Func<Task> end)
    {
        await life.Gate.WaitAsync(CancellationToken.None);
        try
        {
            if (life.Ended.IsCompleted)
            {
                return true;
            }

            if (life.Held is not null || life.Pod is { Containers.Count: > 0 })
            {
                return false;
            }

            await end();
            return true;
        }
        finally
        {
            life.Gate.Release();
        }
    }
}
