using Grpc.Core;

namespace Kata.Agent.Devices;

/// <summary>Waits for block devices that the host has plugged in, or is about to.</summary>
/// <param name="registry">Tells of those that come.</param>
/// <param name="devices">Those that there are.</param>
/// <param name="requireDriver">Has the kernel know such devices.</param>
/// <param name="time">The clock.</param>
internal sealed class BlockDeviceFinder(DeviceRegistry registry, BlockDevices devices, Action requireDriver, TimeProvider time)
{
    /// <summary>
    /// A disk that is plugged in is there after some tenths of a second. A port of PCI Express may want five more, in which its button
    /// could be pressed again (drivers/pci/hotplug/pciehp_ctrl.c), and the clock of an emulated machine on a busy host may run several
    /// times as fast as its processor.
    /// </summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>The node of a device, at once when it is there.</summary>
    /// <exception cref="RpcException">DeadlineExceeded: it did not come.</exception>
    public async Task<string> FindAsync(BlockDeviceName name, CancellationToken cancellationToken)
    {
        await WaitingThread.RunAsync("devices", requireDriver);
        // Ends early on: the caller (cancellationToken), or the limit.
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await registry.WaitAsync("block", () => name.Find(devices), both.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw AgentException.Of(
                StatusCode.DeadlineExceeded,
                $"Cannot find the block device {name.Text}: the guest's kernel has announced none within {Limit.TotalSeconds:0} s, "
                + $"which is enough for a slow machine too. {devices.Describe()}. "
                + "Attach it to the machine, or correct what it is looked for by");
        }
    }
}
