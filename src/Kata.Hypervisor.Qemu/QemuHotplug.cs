using System.Collections.Concurrent;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>Devices that come to a running QEMU and go from it, over its control channel.</summary>
/// <remarks>
/// A device is made from its parts in order, and what was made is removed when a later part is refused. Removal has to wait for the guest:
/// <c>device_del</c> only asks it, DEVICE_DELETED is the answer. Until then the device is the machine's.
/// </remarks>
internal sealed class QemuHotplug(
    QemuBoard board, QmpConnection monitor, QemuEvents events, PciSlots slots, TimeSpan guestTimeout, TimeProvider time)
{
    private readonly ConcurrentDictionary<DeviceId, IReadOnlyList<QemuPart>> _devices = new();
    private int _lastSet = QemuHandle.FirstPassedSet;

    /// <summary>Takes note of a device that QEMU was started with.</summary>
    public void Adopt(DeviceId id, IReadOnlyList<QemuPart> parts) => _devices[id] = parts;

    /// <inheritdoc cref="IDeviceHotplug.PlugAsync"/>
    public async Task PlugAsync(Device device, DeviceDescriptors descriptors, CancellationToken cancellationToken)
    {
        string action = $"give the device '{device.Id}' to the virtual machine";
        if (board.Capabilities.RefusalOf(device, running: true) is { } refusal)
        {
            throw new HypervisorException($"Cannot {action}: {refusal}");
        }

        IReadOnlyList<SafeFileDescriptor> passed = descriptors.Of(device);
        int slot = slots.Take(device.Id, device is HostDevice)
            ?? throw new HypervisorException(
                $"Cannot {action}: all {board.Capabilities.MaxPluggable} places for disks, network cards and devices of the host "
                    + "are taken. Remove one first");
        QemuHandle[] handles =
        [
            .. passed.Select((_, index) => new QemuHandle($"{device.Id}-{index}", Interlocked.Increment(ref _lastSet))),
        ];
        IReadOnlyList<QemuPart> parts = QemuDevices.Translate(device, board, handles, slot);
        var made = new List<QemuPart>();
        try
        {
            foreach (QemuPart part in parts)
            {
                cancellationToken.ThrowIfCancellationRequested();
                made.Add(part); // also one that failed halfway: its removal is refused, and that is all
                await MakeAsync(part, passed);
            }

            _devices[device.Id] = parts;
        }
        catch (Exception error)
        {
            await RemoveAsync(made);
            slots.Release(device.Id);
            if (error is not HypervisorException refused)
            {
                throw;
            }

            throw refused.Message.Contains("\" lock", StringComparison.Ordinal)
                ? new HypervisorException(
                    $"Cannot {action}: its image is in use by this machine or another one. "
                        + "Remove it there, or have all of them use it read-only")
                : new HypervisorException($"Cannot {action}", refused) { Code = refused.Code };
        }
    }

    /// <inheritdoc cref="IDeviceHotplug.UnplugAsync"/>
    public async Task UnplugAsync(DeviceId id, CancellationToken cancellationToken)
    {
        if (!_devices.TryGetValue(id, out IReadOnlyList<QemuPart>? parts))
        {
            throw new HypervisorException($"Cannot take the device '{id}' from the virtual machine: it has none of that name");
        }

        Task<bool> gone = events.DeviceGoneAsync(id.Value);
        try
        {
            await monitor.ExecuteAsync(QmpCommand.RemoveDevice(id.Value), cancellationToken);
        }
        catch (HypervisorException error) when (error.Code == QmpCommand.DeviceNotFound)
        {
            gone = Task.FromResult(true); // the guest let go of it after we had stopped waiting
        }
        catch (HypervisorException error) when (error.Message.Contains("already in the process of unplug", StringComparison.Ordinal))
        {
            // Asked before, and the guest has not answered yet: its answer counts for us too.
        }

        try
        {
            if (!await gone.WaitAsync(guestTimeout, time, cancellationToken))
            {
                throw new HypervisorException($"Cannot take the device '{id}' from the virtual machine: the guest refuses to let go of it");
            }
        }
        catch (TimeoutException)
        {
            throw new HypervisorException(
                $"Cannot take the device '{id}' from the virtual machine: "
                    + $"the guest did not let go of it within {guestTimeout.TotalSeconds:0.#} s. Try again");
        }

        await RemoveAsync(parts); // from here on it is gone, whoever calls it off
        _devices.TryRemove(id, out _);
        slots.Release(id);
    }

    // Not to be called off: a command that was sent may be carried out, and nobody could tell what the machine has then.
    private async Task MakeAsync(QemuPart part, IReadOnlyList<SafeFileDescriptor> passed)
    {
        int? index = part.Passes;
        foreach (QmpCommand command in part.Commands)
        {
            await monitor.ExecuteAsync(command, index is { } number ? passed[number] : null, CancellationToken.None);
            index = null; // it goes with the first
        }
    }

    // What is refused was never made.
    private async Task RemoveAsync(IEnumerable<QemuPart> parts)
    {
        foreach (QmpCommand removal in parts.Reverse().Select(static part => part.Removal).OfType<QmpCommand>())
        {
            try
            {
                await monitor.ExecuteAsync(removal, CancellationToken.None);
            }
            catch (HypervisorException)
            {
            }
        }
    }
}
