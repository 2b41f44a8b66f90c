namespace Kata.Repo.Tests;

/// <summary>
/// Who may refer to whom. References point downwards; two rows are stricter: the agent sees only what the guest needs, and a
/// hypervisor driver sees only the VM model and the Linux layer, never another driver.
/// </summary>
internal static class Layers
{
    private const string DriverPrefix = "Kata.Hypervisor.";

    // From the bottom up; projects of one row do not see each other.
    private static readonly string[][] s_rows =
    [
        ["Kata.Linux", "Kata.Oci"],
        ["Kata.TtRpc", "Kata.Netlink"],
        ["Kata.Agent.Protocol", "Kata.Containerd.Protocol", "Kata.Sandbox.Protocol", "Kata.Configuration"],
        ["Kata.Hypervisor"],
        ["Kata.Network", "Kata.Storage"],
        [
            "Kata.Hypervisor.Qemu", "Kata.Hypervisor.CloudHypervisor", "Kata.Hypervisor.Firecracker", "Kata.Hypervisor.Libvirt",
            "Kata.Hypervisor.Xen", "Kata.Hypervisor.Kvmtool",
        ],
        ["Kata.Sandbox"],
        ["Kata.Service"],
        ["Kata.Runtime", "Kata.Agent"],
    ];

    private static readonly string[] s_agentSees = ["Kata.Agent.Protocol", "Kata.TtRpc", "Kata.Netlink", "Kata.Oci", "Kata.Linux"];
    private static readonly string[] s_driverSees = ["Kata.Hypervisor", "Kata.Linux"];

    /// <summary>Why <paramref name="from"/> may not refer to <paramref name="to"/>; null when it may.</summary>
    public static string? Objection(string from, string to)
    {
        int fromRow = RowOf(from);
        int toRow = RowOf(to);
        if (fromRow < 0 || toRow < 0)
        {
            return $"'{(fromRow < 0 ? from : to)}' has no place in the layers. Give it one in Layers.cs and in docs/architecture.md";
        }

        if (from == "Kata.Agent" && !s_agentSees.Contains(to))
        {
            return $"the agent may see only {string.Join(", ", s_agentSees)}, not '{to}'";
        }

        if (from.StartsWith(DriverPrefix, StringComparison.Ordinal) && !s_driverSees.Contains(to))
        {
            return $"the driver '{from}' may see only {string.Join(" and ", s_driverSees)}, not '{to}'";
        }

        return toRow < fromRow ? null : $"'{from}' refers to '{to}', which is not below it";
    }

    private static int RowOf(string project) => Array.FindIndex(s_rows, row => row.Contains(project));
}
