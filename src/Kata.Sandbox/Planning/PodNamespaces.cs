using System.Globalization;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Whose the namespaces are that specifications name by path. Engines name one by the process that stands for its container,
/// <c>/proc/PID/ns/TYPE</c>, or, as CRI-O does, by a file that holds it. CRI-O makes such files for each pod's own namespaces, which the
/// specifications of the pod and of its containers then name, and for the processes of a container that another one is to see.
/// </summary>
/// <param name="pod">The pod, which is also the id of its first container.</param>
/// <param name="service">The host process that stands for the pod where no container's does.</param>
/// <param name="containers">Those of the pod that live.</param>
/// <param name="files">The host's files, as the pod's caller sees them.</param>
internal sealed class PodNamespaces(SandboxId pod, int service, IReadOnlyList<PodNamespaces.Holder> containers, IHostFiles files)
{
    /// <summary>What CRI-O holds for a pod by files.</summary>
    private static readonly HashSet<string> s_held = new(StringComparer.Ordinal) { "ipc", "uts", "user" };

    /// <summary>A container.</summary>
    /// <param name="Plan">Its plan.</param>
    /// <param name="ProcessId">The host process or thread that stands for it.</param>
    internal readonly record struct Holder(ContainerPlan Plan, int ProcessId);

    /// <summary>
    /// Whether a file holds the namespace for the pod that this container begins: nobody is in it, and it is the container's own, made in
    /// the guest.
    /// </summary>
    public static bool IsHeldForPod(RuntimeSpec spec, LinuxNamespace space) =>
        s_held.Contains(space.Type) && space.Path is { Length: > 0 } path && !IsOfProcess(path)
        && PodAnnotations.Identify(spec.Annotations).Kind == PodKind.PodSandbox;

    /// <summary>The network namespace that a container asks for; null for the host's.</summary>
    public static LinuxNamespace? NetworkOf(RuntimeSpec spec) =>
        (spec.Linux?.Namespaces ?? []).FirstOrDefault(static space => space.Type == "network");

    /// <summary>
    /// The file of the network namespace that a pod is to have: the one that its first container names, or that of the process which stands
    /// for it with a new one. Null for a pod that shares the host's network, or has none of its own for want of such a process.
    /// </summary>
    public static string? NetworkOf(RuntimeSpec spec, int? standIn) => NetworkOf(spec) switch
    {
        null => null,
        { Path: { Length: > 0 } path } => path,
        _ => standIn is { } pid ? string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/net") : null,
    };

    // The kernel's names of the files, where the specification has others.
    private static string FileOf(string type) => type switch
    {
        "network" => "net",
        "mount" => "mnt",
        _ => type,
    };

    /// <summary>The process that a path names, or null.</summary>
    public static int? ProcessOf(LinuxNamespace space) =>
        space.Path!.Split('/') is ["", "proc", string pid, "ns", string type]
            && (type == FileOf(space.Type) || type == $"{space.Type}_for_children")
        && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;

    /// <summary>The container that has it, or null when it is nobody's of this pod.</summary>
    /// <exception cref="InvalidSpecException">Several containers may be meant.</exception>
    public ContainerId? OwnerOf(LinuxNamespace space)
    {
        if (ProcessOf(space) is { } process)
        {
            return containers.Where(item => item.ProcessId == process).Select(static item => (ContainerId?)item.Plan.Id).FirstOrDefault()
                ?? (process == service ? ContainerId.Parse(pod.Value) : null);
        }

        if (IsOfProcess(space.Path!))
        {
            return null;
        }

        ulong? number = files.NamespaceAt(space.Path!);
        return containers.Where(item => Holds(item.Plan.Bundle.Spec, space, number))
            .Select(static item => (ContainerId?)item.Plan.Id).FirstOrDefault()
            ?? (space.Type == "pid" && number is not null ? TargetOf(space, number) : null);
    }

    private static bool IsOfProcess(string path) => path.StartsWith("/proc/", StringComparison.Ordinal);

    private bool Holds(RuntimeSpec spec, LinuxNamespace space, ulong? number) => (spec.Linux?.Namespaces ?? []).Any(own =>
        own.Type == space.Type && IsHeldForPod(spec, own)
            && (own.Path == space.Path || (number is not null && files.NamespaceAt(own.Path!) == number)));

    // Where threads of one process stand for the containers, all of them are in its pid namespace.
    private ContainerId? TargetOf(LinuxNamespace space, ulong? number)
    {
        Holder[] meant =
        [
            .. containers.Where(item => item.Plan.Extension.Namespaces.GetValueOrDefault("pid", "").Length == 0
                && files.NamespaceAt(string.Create(CultureInfo.InvariantCulture, $"/proc/{item.ProcessId}/ns/pid")) == number),
        ];
        Holder[] working = meant.Length > 1 ? [.. meant.Where(static item => !item.Plan.IsPodSandbox)] : meant;
        return working.Length < 2
            ? working.Select(static item => (ContainerId?)item.Plan.Id).FirstOrDefault()
            : throw new InvalidSpecException(
                "/linux/namespaces",
                $"'{space.Path}' may be the processes of {string.Join(" or ", working.Select(static item => $"'{item.Plan.Id}'"))}",
                "Have the engine call kata-runtime instead of the shim (CRI-O: runtime_type = \"oci\"), "
                    + "or let the pod's containers share their processes");
    }
}
