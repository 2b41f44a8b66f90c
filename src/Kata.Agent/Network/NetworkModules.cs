using Kata.Agent.Boot;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Network;

/// <summary>
/// Kernel modules that nobody's call makes the kernel ask for, and that a container still takes for granted, because its host would have
/// them: that host's own tools have loaded them.
/// </summary>
internal static class NetworkModules
{
    private const string ManagesNetworks = "CAP_NET_ADMIN";

    /// <summary>
    /// Firewalls of the older kind, whose tools (xtables-legacy(8)) ask the kernel by a socket's option that it does not know before.
    /// </summary>
    private static readonly string[] s_firewalls = ["ip_tables", "ip6_tables"];

    private static readonly (string Directory, string Module)[] s_settings =
    [
        ("net/bridge/", "br_netfilter"),
        ("net/ipv4/vs/", "ip_vs"),
        ("net/netfilter/nf_conntrack", "nf_conntrack"),
    ];

    /// <summary>Before a process starts. An image without them has containers without such firewalls.</summary>
    public static void PrepareFor(Process process)
    {
        if (process.Capabilities is { } capabilities && capabilities.Effective.Contains(ManagesNetworks))
        {
            Load(s_firewalls);
        }
    }

    /// <summary>Before a setting is written.</summary>
    /// <param name="path">Below <c>/proc/sys</c>.</param>
    public static void PrepareFor(string path) =>
        Load(s_settings.Where(item => path.StartsWith(item.Directory, StringComparison.Ordinal)).Select(static item => item.Module));

    private static void Load(IEnumerable<string> modules)
    {
        foreach (string module in modules)
        {
            try
            {
                _ = KernelModules.LoadIfThere(module);
            }
            catch (Exception error) when (error is Grpc.Core.RpcException or IOException or InvalidDataException)
            {
                // Who uses it hears of it from the kernel.
            }
        }
    }
}
