using System.Text.Json;

namespace Kata.Hypervisor.Qemu;

/// <summary>What QEMU says of a machine's processors.</summary>
internal static class QemuProcessors
{
    /// <summary>Reads <c>query-cpus-fast</c>; what is not as documented is left out.</summary>
    public static HashSet<int> ThreadIds(JsonElement answer)
    {
        HashSet<int> ids = [];
        if (answer.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement processor in answer.EnumerateArray())
            {
                if (processor.ValueKind == JsonValueKind.Object
                    && processor.TryGetProperty("thread-id", out JsonElement id)
                    && id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number))
                {
                    ids.Add(number);
                }
            }
        }

        return ids;
    }
}
