using System.Buffers;
using static Kata.Oci.FieldRules;

namespace Kata.Oci;

/// <summary>The rules for the limits of a container.</summary>
internal static class ResourceRules
{
    private static readonly SearchValues<char> s_cpuListCharacters = SearchValues.Create("0123456789,- \n");
    private static readonly string[] s_deviceRuleTypes = ["", "a", "c", "b"];

    internal static void Check(string pointer, LinuxResources resources)
    {
        for (int i = 0; i < (resources.Devices?.Count ?? 0); i++)
        {
            string at = At($"{pointer}/devices", i);
            LinuxDeviceCgroup rule = NotNull(at, resources.Devices![i]);
            CheckOneOf($"{at}/type", rule.Type, s_deviceRuleTypes);
            if (rule.Access is { } access && access.AsSpan().ContainsAnyExcept("rwm"))
                throw Bad($"{at}/access", access, "It may hold the letters r, w and m");
        }

        CheckRange($"{pointer}/memory/limit", resources.Memory?.Limit, -1, long.MaxValue);
        CheckRange($"{pointer}/memory/reservation", resources.Memory?.Reservation, -1, long.MaxValue);
        CheckRange($"{pointer}/memory/swap", resources.Memory?.Swap, -1, long.MaxValue);
        if (resources.Memory?.Swappiness is { } swappiness && swappiness != ulong.MaxValue) // engines write -1 as its unsigned form
            CheckRange($"{pointer}/memory/swappiness", (long)Math.Min(swappiness, long.MaxValue), 0, 100);
        CheckRange($"{pointer}/cpu/quota", resources.Cpu?.Quota, -1, long.MaxValue);
        CheckCpuList($"{pointer}/cpu/cpus", resources.Cpu?.Cpus);
        CheckCpuList($"{pointer}/cpu/mems", resources.Cpu?.Mems);
    }

    private static void CheckCpuList(string pointer, string? list)
    {
        if (list is not null && list.AsSpan().ContainsAnyExcept(s_cpuListCharacters))
            throw Bad(pointer, list, "It must be a list of numbers and ranges such as 0-3,7");
    }
}
