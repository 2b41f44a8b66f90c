using Kata.Netlink;

namespace Kata.Network;

/// <summary>
/// Lets the namespace's own stack have the answers of name servers. docker's name server asks others from within the pod's namespace, and
/// what they answer would go to the guest with all that arrives. Its sockets get ports that a guest does not use unless it asks for them.
/// </summary>
internal static class AnswerFilters
{
    private const ushort PassPriority = 65533; // before the redirection
    private const ushort NeighbourPriority = 65532;
    private const ushort IPv4Protocol = 0x0800; // ETH_P_IP
    private const ushort ArpProtocol = 0x0806; // ETH_P_ARP
    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const string PortRangeFile = "/proc/sys/" + PortRange;
    private const string Ports = "61440 65535"; // above those that Linux takes by itself; all whose first four bits are set

    /// <summary>Of IPv4 without options: that it is so, and the first or only fragment.</summary>
    private static readonly PacketMatch[] s_wholeHeader = [new(0, 0x4500_0000, 0xff00_0000), new(4, 0, 0x1fff)];

    /// <summary>From port 53 to one of <see cref="Ports"/>.</summary>
    private static readonly PacketMatch s_answer = new(20, 0x0035_f000, 0xffff_f000);

    /// <summary>The sysctl that has the namespace's own sockets take their ports.</summary>
    public const string PortRange = "net/ipv4/ip_local_port_range";

    /// <summary>Whether a value of <see cref="PortRange"/> is the one that these filters go with.</summary>
    public static bool IsOurs(string range) => range.Replace('\t', ' ') == Ports;

    /// <summary>Whether a filter of an interface is one of these.</summary>
    public static bool Are(TrafficFilter filter) => filter.Priority is PassPriority && filter.Kind == TrafficFilter.U32;

    /// <summary>Makes them, for an interface whose frames go to a tap.</summary>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public static void Put(NetworkNamespace space, int linkIndex, int tap)
    {
        try
        {
            var filter = new TrafficFilter
            {
                LinkIndex = linkIndex,
                Parent = TcHandle.IngressFilters,
                Kind = TrafficFilter.U32,
                Priority = PassPriority,
                Protocol = IPv4Protocol,
            };
            foreach (byte protocol in (ReadOnlySpan<byte>)[Udp, Tcp])
            {
                space.Netlink.Filters.Add(
                    filter with { Matches = [.. s_wholeHeader, new(8, (uint)protocol << 16, 0x00ff_0000), s_answer] });
            }

            // Both have to know where to send: answers of ARP, as of the gateway, are for both.
            space.Netlink.Filters.Add(filter with
            {
                Priority = NeighbourPriority,
                Protocol = ArpProtocol,
                Matches = [new(4, 2, 0xffff)],
                Actions = [new MirredAction { TargetIndex = tap, Direction = MirredDirection.EgressMirror }],
            });
        }
        catch (NetlinkException error)
        {
            throw new NetworkException($"Cannot let the name server in '{space.Path}' have its answers", error);
        }
    }

    /// <summary>Has sockets of the namespace take these ports from now on, those in the guest not.</summary>
    /// <returns>What there was, for <see cref="SetPorts"/>; null where it cannot be set.</returns>
    public static string? TakePorts(NetworkNamespace space) => SetPorts(space, Ports);

    /// <inheritdoc cref="TakePorts"/>
    public static string? SetPorts(NetworkNamespace space, string ports) => space.Run(() =>
    {
        try
        {
            string before = File.ReadAllText(PortRangeFile).Trim();
            File.WriteAllText(PortRangeFile, ports);
            return before;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    });
}
