using Grpc.Core;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>Deletes a container through its service, or from what is on disk when there is none any more.</summary>
internal sealed class ContainerRemover(SandboxDirectories directories)
{
    private readonly ContainerIndex _index = new(directories);
    private readonly SandboxRecovery _recovery = new(directories);

    /// <param name="id">The container.</param>
    /// <param name="force">Also one that runs, is half made, or whose service does not answer; and none at all.</param>
    /// <exception cref="SandboxStateException">Without force: it does not exist, or has not ended.</exception>
    public async Task RemoveAsync(ContainerId id, bool force)
    {
        if (_index.Find(id) is not { } sandbox)
        {
            if (force)
            {
                await RemoveOrphanAsync(SandboxId.Of(id));
                return;
            }

            throw SandboxStateException.NotFound("delete the container", "it", id.Value);
        }

        if (!await TryThroughServiceAsync(id, sandbox, force))
        {
            await RemoveWithoutServiceAsync(id, sandbox, force);
        }
    }

    private async Task<bool> TryThroughServiceAsync(ContainerId id, SandboxId sandbox, bool force)
    {
        if (force && _recovery.ServiceOf(sandbox) is { } service && service.IsSuspended())
        {
            return false; // stopped by somebody: it would not answer
        }

        PodClient client;
        try
        {
            client = PodClient.Connect(directories, sandbox);
        }
        catch (LinuxException error) when (force || error.Errno is Errno.ENOENT or Errno.ECONNREFUSED)
        {
            return false; // without force only when it is certain that nobody serves the pod
        }

        await using (client)
        {
            try
            {
                await client.DeleteAsync(id, force, LimitOfHooks(id, sandbox), () => !Directory.Exists(directories.Sandbox(sandbox)));
                return true;
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.NotFound && force)
            {
                return true; // claimed, not made; the service has given the id back
            }
            catch (RpcException error)
                when (error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && (force || !_recovery.IsServed(sandbox)))
            {
                return false; // it died, or hangs and is to go
            }
        }
    }

    // Of what is not known the hooks are none; why it cannot be read, the service or whoever does without it will say.
    private TimeSpan? LimitOfHooks(ContainerId id, SandboxId sandbox)
    {
        try
        {
            ContainerState? state = ReadState(sandbox, force: true)?.Containers.FirstOrDefault(container => container.Id == id.Value);
            return HookRunner.Sum(state?.Poststop);
        }
        catch (IOException)
        {
            return TimeSpan.Zero;
        }
    }

    private async Task RemoveWithoutServiceAsync(ContainerId id, SandboxId sandbox, bool force)
    {
        SandboxState? state = ReadState(sandbox, force);
        if (state is null && !force && Directory.Exists(directories.Sandbox(sandbox)))
        {
            throw SandboxStateException.WrongState(
                "delete the container", id.Value, "being created", "created; if its create was killed, use --force");
        }

        await RemoveFromDiskAsync(id, sandbox, state);
        await RunPoststopHooksAsync(state?.Containers.FirstOrDefault(container => container.Id == id.Value));
    }

    // The service would have run them; a failure is told and changes nothing.
    private static async Task RunPoststopHooksAsync(ContainerState? container)
    {
        if (container?.Poststop is not { Count: > 0 } hooks)
        {
            return;
        }

        var state = new RuntimeState
        {
            OciVersion = container.OciVersion,
            Id = container.Id,
            Status = "stopped",
            Bundle = container.Bundle,
            Annotations = container.Annotations,
        };
        await new HookRunner(new HookCaller { Variables = CallerEnvironment.Read() }, TimeProvider.System).RunAllAsync(
            HookPoint.Poststop, new HookSet { Poststop = hooks }, state,
            static text => Console.Error.WriteLine($"kata-runtime: warning: {text}"), CancellationToken.None);
    }

    private async Task RemoveFromDiskAsync(ContainerId id, SandboxId sandbox, SandboxState? state)
    {
        List<ContainerState> others =
            [.. (state?.Containers ?? []).Where(other => other.Id != id.Value && _index.Find(ContainerId.Parse(other.Id)) is not null)];
        bool isPod = id.Value == sandbox.Value && state is not null && state.Containers.All(container => container.Id != id.Value);
        if (others.Count == 0 || isPod) // a pod that containerd's Sandbox service held has no container of its name
        {
            await _recovery.RemoveAsync(sandbox, CancellationToken.None);
            return;
        }

        if (_recovery.IsServed(sandbox))
        {
            // It hangs, and the others with it: none of them can be reached any more.
            await _recovery.RemoveAsync(sandbox, CancellationToken.None);
            return;
        }

        // The others of the pod are dead too, but each is its owner's to delete.
        SandboxStateStore.Write(directories.StateFile(sandbox), state! with { Containers = others });
        _index.Release(id);
    }

    // A pod without any claimed id: whoever made it was killed between the two.
    private async Task RemoveOrphanAsync(SandboxId sandbox)
    {
        if (Directory.Exists(directories.Sandbox(sandbox)) && !_index.All().Any(entry => entry.Sandbox == sandbox))
        {
            await _recovery.RemoveAsync(sandbox, CancellationToken.None);
        }
    }

    private SandboxState? ReadState(SandboxId sandbox, bool force)
    {
        try
        {
            return SandboxStateStore.Read(directories.StateFile(sandbox));
        }
        catch (InvalidDataException) when (force)
        {
            return null; // damaged: the journal says all that is needed
        }
    }
}
