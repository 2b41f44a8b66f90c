using System.Globalization;
using Kata.Agent.Protocol;
using Kata.Oci;
using Guest = Kata.Agent.Protocol.Oci;

namespace Kata.Sandbox;

/// <summary>
/// The reduced specification for the guest: what the guest's runtime must do there. Left out is what belongs to the host
/// (its hooks, network namespace, host paths of namespaces, labels of the host's security modules) and what numbers only the host
/// has (CPU sets, block devices).
/// </summary>
internal static class GuestSpecBuilder
{
    public static Guest.Spec Build(
        ContainerId id, RuntimeSpec spec, bool guestSeccomp, string hostName, List<string> warnings)
    {
        var result = new Guest.Spec
        {
            Version = spec.OciVersion,
            Root = new Guest.Root { Readonly = spec.Root?.Readonly ?? false },
            Hostname = string.IsNullOrEmpty(spec.Hostname) && !HasOwnName(spec) ? hostName : spec.Hostname ?? "",
            Linux = Linux(id, spec.Linux ?? new LinuxSpec(), guestSeccomp, warnings),
        };
        if (spec.Process is { } process)
        {
            result.Process = Process(process);
        }

        if (spec.Hooks?.StartContainer is { Count: > 0 } hooks)
        {
            result.Hooks = new Guest.Hooks(); // the others run on the host
            result.Hooks.StartContainer.AddRange(hooks.Select(hook => ToGuest(hook, spec.Process?.Env)));
        }

        foreach ((string key, string value) in spec.Annotations ?? new Dictionary<string, string>())
        {
            result.Annotations[key] = value;
        }

        return result;
    }

    /// <summary>Whether the container asks for a name of its own, or to see another container's.</summary>
    public static bool HasOwnName(RuntimeSpec spec) => (spec.Linux?.Namespaces ?? []).Any(static space => space.Type == "uts");

    /// <summary>A user whose name or group only the container's own files know, as the agent takes it.</summary>
    /// <param name="text">USER or USER:GROUP; numbers pass through, the agent tells them apart.</param>
    /// <param name="process">Who the process is otherwise: its further groups stay.</param>
    public static StringUser NamedUser(string text, UserSpec? process)
    {
        string[] parts = text.Split(':', 2);
        var named = new StringUser { Uid = parts[0], Gid = parts.Length > 1 ? parts[1] : "" };
        named.AdditionalGids.AddRange((process?.AdditionalGids ?? []).Select(static gid => gid.ToString(CultureInfo.InvariantCulture)));
        return named;
    }

    /// <summary>A process as the agent takes it, for create and exec.</summary>
    public static Guest.Process Process(ProcessSpec process)
    {
        var result = new Guest.Process
        {
            Terminal = process.Terminal ?? false,
            Cwd = process.Cwd,
            NoNewPrivileges = process.NoNewPrivileges ?? false,
            OOMScoreAdj = process.OomScoreAdj ?? 0,
            User = new Guest.User { UID = process.User?.Uid ?? 0, GID = process.User?.Gid ?? 0 },
        };
        result.User.AdditionalGids.AddRange(process.User?.AdditionalGids ?? []);
        result.Args.AddRange(process.Args ?? []);
        result.Env.AddRange(process.Env ?? []);
        if (process.ConsoleSize is { } size)
        {
            result.ConsoleSize = new Guest.Box { Height = size.Height, Width = size.Width };
        }

        if (process.Capabilities is { } capabilities)
        {
            result.Capabilities = new Guest.LinuxCapabilities();
            result.Capabilities.Bounding.AddRange(capabilities.Bounding ?? []);
            result.Capabilities.Effective.AddRange(capabilities.Effective ?? []);
            result.Capabilities.Inheritable.AddRange(capabilities.Inheritable ?? []);
            result.Capabilities.Permitted.AddRange(capabilities.Permitted ?? []);
            result.Capabilities.Ambient.AddRange(capabilities.Ambient ?? []);
        }

        result.Rlimits.AddRange((process.Rlimits ?? []).Select(
            static limit => new Guest.POSIXRlimit { Type = limit.Type, Hard = limit.Hard, Soft = limit.Soft }));
        return result;
    }

    private static Guest.Linux Linux(ContainerId id, LinuxSpec linux, bool guestSeccomp, List<string> warnings)
    {
        var result = new Guest.Linux { CgroupsPath = $"/kata/{id}", RootfsPropagation = linux.RootfsPropagation ?? "" };
        foreach (LinuxNamespace space in linux.Namespaces ?? [])
        {
            // The VM is the network namespace; host paths of the others mean nothing in the guest: there the agent decides.
            if (SupportedFeatures.GuestNamespaces.Contains(space.Type))
            {
                result.Namespaces.Add(new Guest.LinuxNamespace { Type = space.Type });
            }
        }

        // Where the host's name would show it does; the guest's means nothing to anybody.
        if (result.Namespaces.All(static space => space.Type != "uts"))
        {
            result.Namespaces.Add(new Guest.LinuxNamespace { Type = "uts" });
        }

        // Engines on hosts with version 1 of cgroups ask for none, and mount /sys/fs/cgroup: it must show the container's own group.
        if (result.Namespaces.All(static space => space.Type != "cgroup"))
        {
            result.Namespaces.Add(new Guest.LinuxNamespace { Type = "cgroup" });
        }

        result.MaskedPaths.AddRange(linux.MaskedPaths ?? []);
        result.ReadonlyPaths.AddRange(linux.ReadonlyPaths ?? []);
        result.UIDMappings.AddRange((linux.UidMappings ?? []).Select(ToGuest));
        result.GIDMappings.AddRange((linux.GidMappings ?? []).Select(ToGuest));
        foreach ((string key, string value) in linux.Sysctl ?? new Dictionary<string, string>())
        {
            result.Sysctl[key] = value;
        }

        result.Devices.AddRange(GuestDevices.Plan(linux, warnings));
        if (linux.Resources is { } resources)
        {
            result.Resources = GuestResourcesBuilder.Build(resources, warnings);
        }

        if (guestSeccomp && linux.Seccomp is { } seccomp)
        {
            result.Seccomp = Seccomp(seccomp);
        }

        return result;
    }

    // One that names no environment has its container's, as with runc.
    private static Guest.Hook ToGuest(HookSpec hook, IReadOnlyList<string>? ofContainer)
    {
        var result = new Guest.Hook { Path = hook.Path, Timeout = hook.Timeout ?? 0 };
        result.Args.AddRange(hook.Args ?? []);
        result.Env.AddRange(hook.Env ?? ofContainer ?? []);
        return result;
    }

    private static Guest.LinuxIDMapping ToGuest(LinuxIdMapping mapping) =>
        new() { ContainerID = mapping.ContainerId, HostID = mapping.HostId, Size = mapping.Size };

    private static Guest.LinuxSeccomp Seccomp(LinuxSeccomp seccomp)
    {
        var result = new Guest.LinuxSeccomp { DefaultAction = seccomp.DefaultAction };
        result.Architectures.AddRange(seccomp.Architectures ?? []);
        result.Flags.AddRange(seccomp.Flags ?? []);
        foreach (LinuxSyscall rule in seccomp.Syscalls ?? [])
        {
            var item = new Guest.LinuxSyscall { Action = rule.Action };
            item.Names.AddRange(rule.Names);
            if (rule.ErrnoRet is { } errno)
            {
                item.Errnoret = errno;
            }

            item.Args.AddRange((rule.Args ?? []).Select(static argument => new Guest.LinuxSeccompArg
            {
                Index = argument.Index,
                Value = argument.Value,
                ValueTwo = argument.ValueTwo ?? 0,
                Op = argument.Op,
            }));
            result.Syscalls.Add(item);
        }

        return result;
    }
}
