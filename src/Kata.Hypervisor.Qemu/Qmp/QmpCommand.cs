namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>A command of QEMU's control channel.</summary>
/// <param name="Name">As QEMU calls it.</param>
/// <param name="Arguments">Its arguments, or null for none; not to be changed any more.</param>
internal sealed record QmpCommand(string Name, QmpObject? Arguments = null)
{
    public static readonly QmpCommand QmpCapabilities = new("qmp_capabilities");
    public static readonly QmpCommand QueryStatus = new("query-status");
    public static readonly QmpCommand QueryCpusFast = new("query-cpus-fast");
    public static readonly QmpCommand Continue = new("cont");
    public static readonly QmpCommand Stop = new("stop");
    public static readonly QmpCommand Quit = new("quit");

    /// <summary>The error class of a device that QEMU does not have (QAPI <c>QapiErrorClass</c>).</summary>
    public const string DeviceNotFound = "DeviceNotFound";

    /// <summary>Asks the guest to let go of a device.</summary>
    public static QmpCommand RemoveDevice(string id) => new("device_del", new QmpObject { ["id"] = id });

    /// <summary>The command as a line, answered under <paramref name="id"/>.</summary>
    public byte[] ToLine(long id)
    {
        var message = new QmpObject { ["execute"] = Name };
        if (Arguments is not null)
        {
            message["arguments"] = Arguments;
        }

        message["id"] = id;
        return System.Text.Encoding.UTF8.GetBytes(message.ToJson() + "\n");
    }
}
