using System.Globalization;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// What the common agent protocol has no place for, carried by our extension of it. A guest whose agent does not offer the
/// extension cannot do it: <see cref="NeedOf(ContainerExtension)"/> says then which field stands in the way.
/// </summary>
internal static class GuestExtensionBuilder
{
    /// <summary>The namespaces that other agents share among all containers of a pod anyway.</summary>
    private static readonly HashSet<string> s_sharedAnyway = new(StringComparer.Ordinal) { "ipc", "uts" };

    /// <param name="spec">The validated specification.</param>
    /// <param name="bundle">Its directory on the host.</param>
    /// <param name="ownerOf">The container of this pod that has a namespace which is named by its path, or null.</param>
    /// <exception cref="InvalidSpecException">A namespace that is not of this pod is to be joined.</exception>
    public static ContainerExtension Container(RuntimeSpec spec, string bundle, Func<LinuxNamespace, ContainerId?> ownerOf)
    {
        LinuxSpec linux = spec.Linux ?? new LinuxSpec();
        var result = new ContainerExtension
        {
            Bundle = bundle,
            Domainname = spec.Domainname ?? "",
            Process = spec.Process is { } process ? Process(process) : null,
        };
        if (linux.Personality is { } personality)
        {
            result.Personality = new Personality { Domain = personality.Domain };
            result.Personality.Flags.AddRange(personality.Flags ?? []);
        }

        if (linux.Seccomp?.DefaultErrnoRet is { } errno)
        {
            result.SeccompDefaultErrno = errno;
        }

        AddUnified(result, linux.Resources);
        // As in GuestSpecBuilder: every container has these, also when its engine did not ask for them.
        result.Namespaces["cgroup"] = "";
        result.Namespaces["uts"] = "";
        for (int i = 0; i < (linux.Namespaces?.Count ?? 0); i++)
        {
            if (linux.Namespaces![i] is { Type: not "network" } space)
            {
                result.Namespaces[space.Type] =
                    string.IsNullOrEmpty(space.Path) || PodNamespaces.IsHeldForPod(spec, space) ? "" : JoinedContainer(i, space, ownerOf);
            }
        }

        foreach ((string clock, LinuxTimeOffset offset) in linux.TimeOffsets ?? new Dictionary<string, LinuxTimeOffset>())
        {
            result.TimeOffsets[clock] = new TimeOffset { Seconds = offset.Secs ?? 0, Nanoseconds = offset.Nanosecs ?? 0 };
        }

        return result;
    }

    /// <summary>Of one process, for create and exec.</summary>
    /// <param name="process">What is asked for.</param>
    /// <param name="callerLimits">What it has where it asks for nothing; none yet by default.</param>
    public static ProcessExtension Process(ProcessSpec process, IReadOnlyList<ResourceLimit>? callerLimits = null)
    {
        var result = new ProcessExtension();
        result.InheritedLimits.Add(Limits(callerLimits ?? []));
        if (process.User?.Umask is { } umask)
        {
            result.Umask = umask;
        }

        if (process.Scheduler is { } scheduler)
        {
            result.Scheduler = new Scheduler
            {
                Policy = scheduler.Policy,
                Nice = scheduler.Nice ?? 0,
                Priority = scheduler.Priority ?? 0,
                Runtime = scheduler.Runtime ?? 0,
                Deadline = scheduler.Deadline ?? 0,
                Period = scheduler.Period ?? 0,
            };
            result.Scheduler.Flags.AddRange(scheduler.Flags ?? []);
        }

        if (process.IoPriority is { } priority)
        {
            result.IoPriority = new IoPriority { Class = priority.Class, Priority = priority.Priority };
        }

        return result;
    }

    /// <summary>Limits as the agent takes them.</summary>
    public static IEnumerable<InheritedLimit> Limits(IReadOnlyList<ResourceLimit> limits) =>
        limits.Select(static limit => new InheritedLimit { Type = limit.Type, Soft = limit.Soft, Hard = limit.Hard });

    /// <summary>The JSON pointer of a field that needs the extension, or null.</summary>
    public static string? NeedOf(ContainerExtension extension) =>
        extension.Domainname.Length > 0 ? "/domainname"
        : extension.Personality is not null ? "/linux/personality"
        : extension.HasSeccompDefaultErrno ? "/linux/seccomp/defaultErrnoRet"
        : extension.Unified.Count > 0 ? "/linux/resources/unified"
        : extension.Namespaces.Any(static item =>
            item.Key == "time" || (item.Value.Length > 0 && !s_sharedAnyway.Contains(item.Key))) ? "/linux/namespaces"
        : extension.NotifySocket.Length > 0 ? "/process/env"
        : extension.Process is { } process && NeedOf(process) is { } need ? $"/process{need}"
        : null;

    /// <inheritdoc cref="NeedOf(ContainerExtension)"/>
    public static string? NeedOf(ProcessExtension extension) =>
        extension.HasUmask ? "/user/umask"
        : extension.Scheduler is not null ? "/scheduler"
        : extension.IoPriority is not null ? "/ioPriority"
        : null;

    /// <exception cref="InvalidSpecException">There is a need.</exception>
    public static void RefuseNeed(string? need)
    {
        if (need is not null)
        {
            throw new InvalidSpecException(
                need, "cannot be carried out by the agent of this guest, which has only the common protocol",
                "Use the guest image of this release, or remove the field");
        }
    }

    // What cgroup version 1 has no file for is written as the file of version 2, which is what a guest has.
    private static void AddUnified(ContainerExtension result, LinuxResources? resources)
    {
        if (resources?.Cpu?.Burst is > 0 and { } burst)
        {
            result.Unified["cpu.max.burst"] = burst.ToString(CultureInfo.InvariantCulture);
        }

        if (resources?.Cpu?.Idle is { } idle and not 0)
        {
            result.Unified["cpu.idle"] = idle.ToString(CultureInfo.InvariantCulture);
        }

        foreach ((string file, string value) in resources?.Unified ?? new Dictionary<string, string>())
        {
            result.Unified[file] = value;
        }
    }

    private static string JoinedContainer(int index, LinuxNamespace space, Func<LinuxNamespace, ContainerId?> ownerOf)
    {
        ContainerId? container = space.Type is "mount" or "time" ? null : ownerOf(space);
        return container?.Value ?? throw new InvalidSpecException(
            string.Create(CultureInfo.InvariantCulture, $"/linux/namespaces/{index}/path"),
            space.Type is "mount" or "time"
                ? $"'{space.Path}' cannot be joined: "
                    + $"a container in a virtual machine always has a {space.Type} namespace of its own, if any"
                : $"'{space.Path}' is a namespace of another kernel: it belongs to the host or to a container outside of this pod",
            "Remove the path, or put both containers into one pod");
    }
}
