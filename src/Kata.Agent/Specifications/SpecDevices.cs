using Kata.Agent.Devices;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Specifications;

/// <summary>
/// A container's devices that the host has passed to the guest. Its specification has the host's numbers of them, and they become the
/// guest's: for the node in the container, and for the rules of what it may do with it.
/// </summary>
internal sealed class SpecDevices(BlockDeviceFinder finder, BlockDevices devices)
{
    /// <param name="spec">Amended in place.</param>
    /// <param name="passed">What the host has passed, each by the path that the container sees it at.</param>
    /// <param name="cancellationToken">Ends the wait for a device that is about to come.</param>
    /// <exception cref="Grpc.Core.RpcException">
    /// Unimplemented: a device of another kind. InvalidArgument: the specification does not have it.
    /// </exception>
    public async Task AmendAsync(Spec spec, IReadOnlyCollection<Device> passed, CancellationToken cancellationToken)
    {
        var numbers = new Dictionary<LinuxDevice, DeviceNumber>(ReferenceEqualityComparer.Instance);
        foreach (Device device in passed)
        {
            LinuxDevice specified = spec.Linux?.Devices.FirstOrDefault(item => item.Path == device.ContainerPath)
                ?? throw AgentException.Invalid(
                    $"Cannot pass the device '{device.ContainerPath}': the container's specification has none there. "
                    + "Add it to 'linux.devices'");
            string node = await finder.FindAsync(NameOf(device), cancellationToken);
            if (!numbers.TryAdd(specified, devices.NumberOf(node)))
            {
                throw AgentException.Invalid(
                    $"Cannot pass the device '{device.ContainerPath}': two of the request have this path. Give each its own");
            }
        }

        // All at once: one device's number in the guest may be another's on the host.
        foreach (LinuxDeviceCgroup rule in spec.Linux?.Resources?.Devices ?? [])
        {
            foreach ((LinuxDevice specified, DeviceNumber number) in numbers)
            {
                if (rule.Type == specified.Type && rule.Major == specified.Major && rule.Minor == specified.Minor)
                {
                    (rule.Type, rule.Major, rule.Minor) = ("b", number.Major, number.Minor);
                    break;
                }
            }
        }

        foreach ((LinuxDevice specified, DeviceNumber number) in numbers)
        {
            (specified.Type, specified.Major, specified.Minor) = ("b", number.Major, number.Minor);
        }
    }

    private static BlockDeviceName NameOf(Device device) => device.Type switch
    {
        "blk" => BlockDeviceName.Of(device.Options, device.Id, BlockDeviceName.OfPci),
        "mmioblk" => BlockDeviceName.Of(device.Options, device.VmPath, BlockDeviceName.OfNode),
        _ => throw AgentException.Missing(
            $"Cannot pass the device '{device.ContainerPath}': devices of the type '{device.Type}' are not supported by this agent yet. "
            + "There are blk and mmioblk"),
    };
}
