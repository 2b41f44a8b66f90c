using System.Globalization;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// What a virtual machine cannot give: refused when a container would otherwise have less than it was promised, else warned about.
/// Every entry is in docs/limitations.md.
/// </summary>
internal static class UnsupportedFields
{
    /// <exception cref="InvalidSpecException">The first field that cannot be carried out.</exception>
    public static void Check(RuntimeSpec spec, List<string> warnings)
    {
        CheckMounts(spec);
        LinuxSpec linux = spec.Linux ?? new LinuxSpec();
        if (linux.IntelRdt is not null)
        {
            throw new InvalidSpecException(
                "/linux/intelRdt", "names caches of the host's processors, which a virtual machine's processors do not have", "Remove it");
        }

        if (linux.NetDevices is { Count: > 0 } devices)
        {
            throw new InvalidSpecException(
                $"/linux/netDevices/{devices.Keys.First()}", "is a network device of the host, which cannot move into another kernel",
                "Remove it");
        }

        if (linux.Seccomp is { } seccomp)
        {
            CheckSeccomp(seccomp);
        }

        if (spec.Process?.ExecCpuAffinity is not null)
        {
            warnings.Add("process.execCPUAffinity names the host's processors and is not applied");
        }
    }

    private static void CheckMounts(RuntimeSpec spec)
    {
        IReadOnlyList<MountSpec> mounts = spec.Mounts ?? [];
        for (int i = 0; i < mounts.Count; i++)
        {
            if (mounts[i].Options?.FirstOrDefault(static option => option is "nosymfollow" or "rnosymfollow") is { } links)
            {
                throw new InvalidSpecException(
                    string.Create(CultureInfo.InvariantCulture, $"/mounts/{i}/options"),
                    $"has '{links}', which the guest's runtime does not know", "Remove it");
            }

            _ = MountIdMapping.Of(spec, i); // refuses what cannot be mapped, also where the plan looks at no source
        }
    }

    private static void CheckSeccomp(LinuxSeccomp seccomp)
    {
        const string Remedy = "Remove it, or let the rule return an errno";
        if (!string.IsNullOrEmpty(seccomp.ListenerPath))
        {
            throw new InvalidSpecException(
                "/linux/seccomp/listenerPath", $"'{seccomp.ListenerPath}' cannot be told of system calls: they happen in another kernel",
                Remedy);
        }

        if (seccomp.DefaultAction == "SCMP_ACT_NOTIFY")
        {
            throw new InvalidSpecException(
                "/linux/seccomp/defaultAction", "'SCMP_ACT_NOTIFY' has nobody to notify in another kernel", Remedy);
        }

        for (int i = 0; i < (seccomp.Syscalls?.Count ?? 0); i++)
        {
            if (seccomp.Syscalls![i].Action == "SCMP_ACT_NOTIFY")
            {
                throw new InvalidSpecException(
                    string.Create(CultureInfo.InvariantCulture, $"/linux/seccomp/syscalls/{i}/action"),
                    "'SCMP_ACT_NOTIFY' has nobody to notify in another kernel", Remedy);
            }
        }
    }
}
