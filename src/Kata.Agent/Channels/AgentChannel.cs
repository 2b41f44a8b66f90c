using System.Globalization;
using Kata.Agent.Boot;
using Kata.Agent.Devices;

namespace Kata.Agent.Channels;

/// <summary>
/// The one byte stream to the host. Chosen on the kernel command line: <c>agent.channel=virtio-serial</c> (default) or
/// <c>agent.channel=vsock agent.vsock_port=N</c>. Losing it ends the guest: nothing inside survives the host.
/// </summary>
internal static class AgentChannel
{
    /// <summary>Waits until the host is connected. The caller owns the stream.</summary>
    public static async Task<Stream> OpenAsync(KernelCommandLine commandLine, DeviceRegistry registry, BootTimings timings)
    {
        string kind = commandLine["channel"] ?? "virtio-serial";
        switch (kind)
        {
            case "virtio-serial":
                return await VirtioSerialChannel.OpenAsync(registry, timings);
            case "vsock":
                string port = commandLine["vsock_port"] ?? "";
                return uint.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
                    ? VsockChannel.Connect(number)
                    : throw new InvalidOperationException(
                        $"Cannot open the channel to the host 'vsock': agent.vsock_port is '{port}'. "
                        + $"Give a number from 0 to {uint.MaxValue}");
            default:
                throw new InvalidOperationException(
                    $"Cannot open the channel to the host '{kind}': unknown kind. Use 'virtio-serial' or 'vsock'");
        }
    }
}
