using Kata.Hypervisor;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Factory;

/// <summary>One service of the pool from its start until a pod has it or it has ended.</summary>
internal sealed class PoolMember
{
    /// <summary>A service ends its machine in less.</summary>
    private static readonly TimeSpan s_endTimeout = TimeSpan.FromSeconds(20);

    private readonly SandboxDirectories _directories;
    private readonly ChildProcess _service;
    private readonly DescriptorStream _keeper;
    private readonly MachineConfig _machine;

    private PoolMember(
        SandboxDirectories directories, SandboxId id, MachineConfig machine, ChildProcess service, DescriptorStream keeper)
    {
        (_directories, Id, _machine, _service, _keeper) = (directories, id, machine, service, keeper);
        Gone = WatchAsync(); // ends with the service or a claim
    }

    public SandboxId Id { get; }

    /// <summary>Completes when it waits no more: true where a pod has it.</summary>
    public Task<bool> Gone { get; }

    /// <summary>Starts one and waits until it can be claimed. Nothing is left of one that fails.</summary>
    /// <param name="directories">The pool.</param>
    /// <param name="id">Its name there, which nobody has.</param>
    /// <param name="arguments">The service's, beside these.</param>
    /// <param name="machine">What is made.</param>
    /// <param name="timeout">How long that may take.</param>
    public static async Task<PoolMember> StartAsync(
        SandboxDirectories directories, SandboxId id, IReadOnlyList<string> arguments, MachineConfig machine, TimeSpan timeout)
    {
        string directory = directories.Sandbox(id);
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        PodLock podLock = PodLock.TryTake(directory)
            ?? throw new IOException($"Cannot make a machine in '{directory}': somebody else is at it. Let one factory use the directory");
        (SafeFileDescriptor ours, SafeFileDescriptor theirs) = UnixSocket.Pair();
        try
        {
            ChildProcess service = await Children.StartWarmServiceAsync(
                ["--root", directories.Root, "--sandbox", id.Value, "--warm", .. arguments], podLock, theirs, timeout);
            return new PoolMember(directories, id, machine, service, new DescriptorStream(ours));
        }
        catch
        {
            ours.Dispose(); // it ends by this, if it has not
            podLock.Dispose();
            await new SandboxRecovery(directories).RemoveAsync(id, CancellationToken.None);
            throw;
        }
        finally
        {
            theirs.Dispose();
            podLock.Dispose();
        }
    }

    /// <summary>What it is, for people.</summary>
    public WaitingMachine Describe() => new(Id.Value, _service.Pid, _machine.VcpuCount, _machine.MemoryMib);

    /// <summary>Ends it, unless a pod has it.</summary>
    public async Task EndAsync()
    {
        // Its own end of the socket stays open: a claim that comes just now is told on it.
        _ = LibC.shutdown(_keeper.Descriptor, LibC.SHUT_WR);
        if (await Task.WhenAny(Gone, Task.Delay(s_endTimeout, TimeProvider.System)) != Gone)
        {
            _service.Kill(Signals.SIGKILL);
        }

        await Gone;
    }

    private async Task<bool> WatchAsync()
    {
        await using var connection = new LineConnection(_keeper);
        try
        {
            if (await connection.ReadLineAsync(null, CancellationToken.None) == WarmService.Claimed)
            {
                return true;
            }
        }
        catch (Exception error) when (error is IOException or LinuxException or ObjectDisposedException)
        {
            // We let go of it, or it has ended.
        }

        await _service.Exited;
        // Of one that was killed everything else is left.
        await new SandboxRecovery(_directories).RemoveAsync(Id, CancellationToken.None);
        return false;
    }
}
