using System.Text;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Names everything that a machine is made of: two machines of one key differ in nothing but the pod that they are for. Files count by what
/// they are now and not by their paths alone, so that an upgrade of any of them makes another key.
/// </summary>
internal static class MachineKey
{
    private const int Bytes = 8; // of the hash; a name in a directory of some dozens

    /// <param name="plan">The pod that the machine is, or would be, for.</param>
    /// <param name="stampOf">What tells a file from a later one of the same path.</param>
    /// <returns>Hexadecimal digits.</returns>
    public static string Of(SandboxPlan plan, Func<string, string> stampOf)
    {
        var text = new StringBuilder();
        // A record writes all of its values. The name is the pod's, and the frequency is measured anew by each host's boot.
        text.Append(plan.Machine with { Name = "", TimestampKhz = null, Devices = [] }).Append('\n');
        foreach (object part in (IEnumerable<object>)[.. plan.Machine.Devices, plan.Hypervisor, plan.EntropySource, plan.VirtioFsCache])
        {
            text.Append(part).Append('\n');
        }

        text.AppendJoin('\0', plan.VirtioFsExtraArguments).Append('\n');
        string?[] files =
        [
            plan.Machine.HypervisorPath, plan.Machine.KernelPath, plan.Machine.InitrdPath, plan.VirtioFsDaemonPath, Environment.ProcessPath,
        ];
        foreach (string file in files.OfType<string>())
        {
            text.Append(file).Append(' ').Append(stampOf(file)).Append('\n');
        }

        return Sha256.HexOf(text.ToString(), Bytes);
    }
}
