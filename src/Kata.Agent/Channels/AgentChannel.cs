using System.Globalization;
using Kata.Agent.Boot;

namespace Kata.Agent.Channels;

/// <summary>
/// The one byte stream to the host. Chosen on the kernel command line: <c>agent.channel=virtio-serial</c> (default) or
/// <c>agent.channel=vsock agent.vsock_port=N</c>. Losing it ends the guest: nothing inside survives the host.
/// </summary>
internal static class AgentChannel
{
    /// <summary>Blocks the calling thread until the host is connected. The caller owns the stream.</summary>
    public static Stream Open(KernelCommandLine commandLine, DeviceEvents events, BootTimings timings)
    {
        string kind = commandLine["channel"] ?? "virtio-serial";
        switch (kind)
        {
            case "virtio-serial":
                return VirtioSerialChannel.Open(events, timings);
            case "vsock":
                string port = commandLine["vsock_port"] ?? "";
                return uint.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
                    ? VsockChannel.Connect(number)
                    : throw new InvalidOperationException(
                        $"Cannot open the channel to the host 'vsock': agent.vsock_port is '{port}'. Give a number from 0 to {uint.MaxValue}");
            default:
                throw new InvalidOperationException($"Cannot open the channel to the host '{kind}': unknown kind. Use 'virtio-serial' or 'vsock'");
        }
    }
}
