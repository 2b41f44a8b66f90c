using System.Text.Json;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

internal sealed partial class QemuVirtualMachine : IVcpuThreads
{
    public async Task<IReadOnlyList<int>> ListVcpuThreadsAsync(CancellationToken cancellationToken)
    {
        JsonElement answer = await RequireMonitor().ExecuteAsync(QmpCommand.QueryCpusFast, cancellationToken);
        HashSet<int> named = ThreadIds(answer);
        // QEMU counts in its own pid namespace. Only threads of its process are looked at: whatever it answers, no other can be meant.
        IReadOnlyList<int> threads = ProcessThreads.Find(ProcessId, named);
        return threads.Count == named.Count && named.Count > 0
            ? threads
            : throw new HypervisorException($"Cannot find the processors of the virtual machine '{_config.Name}': QEMU has {threads.Count} of the {named.Count} threads that it names");
    }

    /// <summary>Reads <c>query-cpus-fast</c>; what is not as documented is left out.</summary>
    internal static HashSet<int> ThreadIds(JsonElement answer)
    {
        HashSet<int> ids = [];
        if (answer.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement processor in answer.EnumerateArray())
            {
                if (processor.ValueKind == JsonValueKind.Object
                    && processor.TryGetProperty("thread-id", out JsonElement id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number))
                {
                    ids.Add(number);
                }
            }
        }

        return ids;
    }
}
