using static Kata.Oci.FieldRules;

namespace Kata.Oci;

/// <summary>The rules for namespaces, devices and what else only Linux has.</summary>
internal static class LinuxRules
{
    private static readonly string[] s_namespaces = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"];
    private static readonly string[] s_propagations =
        ["", "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"];
    private static readonly string[] s_deviceTypes = ["c", "b", "u", "p"];

    internal static void Check(RuntimeSpec spec, LinuxSpec linux)
    {
        CheckNamespaces("/linux/namespaces", linux.Namespaces);
        if (!string.IsNullOrEmpty(spec.Hostname) && linux.Namespaces is { } all && !all.Any(n => n.Type == "uts"))
        {
            throw new InvalidSpecException(
                "/hostname", $"holds {SpecText.Quote(spec.Hostname)} but there is no UTS namespace", "Add the namespace type 'uts'");
        }

        CheckMappings("/linux/uidMappings", linux.UidMappings);
        CheckMappings("/linux/gidMappings", linux.GidMappings);
        CheckNoNul("/linux/cgroupsPath", linux.CgroupsPath ?? "");
        CheckOneOf("/linux/rootfsPropagation", linux.RootfsPropagation, s_propagations);
        CheckOneOf("/linux/personality/domain", linux.Personality?.Domain, ["LINUX", "LINUX32"]);
        CheckTimeOffsets(linux);
        CheckPaths("/linux/maskedPaths", linux.MaskedPaths);
        CheckPaths("/linux/readonlyPaths", linux.ReadonlyPaths);
        CheckDevices("/linux/devices", linux.Devices);
        if (linux.Resources is { } resources)
            ResourceRules.Check("/linux/resources", resources);
    }

    internal static void CheckMappings(string pointer, IReadOnlyList<LinuxIdMapping>? mappings)
    {
        for (int i = 0; i < (mappings?.Count ?? 0); i++)
        {
            LinuxIdMapping mapping = NotNull(At(pointer, i), mappings![i]);
            CheckRange($"{At(pointer, i)}/size", mapping.Size, 1, uint.MaxValue);
            CheckRange($"{At(pointer, i)}/containerID", mapping.ContainerId, 0, (long)uint.MaxValue + 1 - mapping.Size);
            CheckRange($"{At(pointer, i)}/hostID", mapping.HostId, 0, (long)uint.MaxValue + 1 - mapping.Size);
        }
    }

    private static void CheckNamespaces(string pointer, IReadOnlyList<LinuxNamespace>? namespaces)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < (namespaces?.Count ?? 0); i++)
        {
            LinuxNamespace item = NotNull(At(pointer, i), namespaces![i]);
            CheckOneOf($"{At(pointer, i)}/type", item.Type, s_namespaces);
            if (!seen.Add(item.Type))
                throw new InvalidSpecException($"{At(pointer, i)}/type", $"holds '{item.Type}' a second time", "Give each namespace once");
            if (!string.IsNullOrEmpty(item.Path))
                CheckAbsolute($"{At(pointer, i)}/path", item.Path);
        }
    }

    private static void CheckTimeOffsets(LinuxSpec linux)
    {
        if (linux.TimeOffsets is not { Count: > 0 } offsets)
            return;
        if (linux.Namespaces?.Any(static space => space is { Type: "time", Path: null or "" }) != true)
        {
            throw new InvalidSpecException(
                "/linux/timeOffsets",
                "is given but there is no time namespace of its own",
                "Add the namespace type 'time' without a path, or remove the offsets");
        }

        foreach ((string clock, LinuxTimeOffset? offset) in offsets)
        {
            CheckOneOf("/linux/timeOffsets", clock, ["monotonic", "boottime"]); // time_namespaces(7)
            CheckRange($"/linux/timeOffsets/{clock}/nanosecs", NotNull($"/linux/timeOffsets/{clock}", offset).Nanosecs, 0, 999_999_999);
        }
    }

    private static void CheckPaths(string pointer, IReadOnlyList<string>? paths)
    {
        for (int i = 0; i < (paths?.Count ?? 0); i++)
            CheckAbsolute(At(pointer, i), NotNull(At(pointer, i), paths![i]));
    }

    private static void CheckDevices(string pointer, IReadOnlyList<LinuxDevice>? devices)
    {
        for (int i = 0; i < (devices?.Count ?? 0); i++)
        {
            LinuxDevice device = NotNull(At(pointer, i), devices![i]);
            CheckOneOf($"{At(pointer, i)}/type", device.Type, s_deviceTypes);
            CheckAbsolute($"{At(pointer, i)}/path", device.Path);
            CheckRange($"{At(pointer, i)}/major", device.Major, 0, 0xfff); // 12 bits, linux/kdev_t.h
            CheckRange($"{At(pointer, i)}/minor", device.Minor, 0, 0xfffff);
            CheckRange($"{At(pointer, i)}/fileMode", device.FileMode, 0, 0xffff); // some engines put the file type in it as well
            CheckRange($"{At(pointer, i)}/uid", device.Uid, 0, uint.MaxValue - 1);
            CheckRange($"{At(pointer, i)}/gid", device.Gid, 0, uint.MaxValue - 1);
        }
    }
}
