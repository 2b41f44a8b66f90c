using System.Globalization;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Hosting;

/// <summary>Which pod a new container is of: what its annotations say, or who has the network that it asks for.</summary>
internal sealed class PodMembership(SandboxDirectories directories)
{
    private const int StemLength = SandboxId.MaxLength - 11; // room for a hyphen and any number

    /// <summary>
    /// A container joins the pod of the container that its annotations name, which has its id only as long as it was not begun again; and
    /// one that names the network of another one's process joins its pod: a network is one machine's.
    /// </summary>
    public PodIdentity Of(RuntimeSpec spec)
    {
        PodIdentity pod = PodAnnotations.Identify(spec.Annotations);
        if (pod is { Kind: PodKind.PodContainer, SandboxId: { } named })
        {
            return new ContainerIndex(directories).Find(ContainerId.Parse(named.Value)) is { } current
                ? new PodIdentity(PodKind.PodContainer, current)
                : pod;
        }

        return pod.Kind == PodKind.SinglePod
            && PodNamespaces.NetworkOf(spec) is { Path.Length: > 0 } network && PodNamespaces.ProcessOf(network) is { } pid
            && OfProcess(pid) is { } sandbox
                ? new PodIdentity(PodKind.PodContainer, sandbox)
                : pod;
    }

    /// <summary>
    /// The pod that a container begins: it has the container's id, unless one that the container began before goes on with others. Those
    /// shared its network, as engines let a container that starts again leave them behind.
    /// </summary>
    public SandboxId PodOf(ContainerId first)
    {
        var pod = SandboxId.Of(first);
        string stem = first.Value[..Math.Min(first.Value.Length, StemLength)];
        for (int number = 2; HasOthers(pod, first); number++)
        {
            pod = SandboxId.Parse(string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}"));
        }

        return pod;
    }

    /// <summary>Whether a pod has other containers than this one, as its service wrote it when it took this one out.</summary>
    public bool HasOthers(SandboxId pod, ContainerId id)
    {
        var index = new ContainerIndex(directories);
        try
        {
            SandboxState? state = SandboxStateStore.Read(directories.StateFile(pod));
            return state?.Containers.Any(other => other.Id != id.Value && index.Find(ContainerId.Parse(other.Id)) == pod) ?? false;
        }
        catch (InvalidDataException)
        {
            return false; // damaged: as without one
        }
    }

    private SandboxId? OfProcess(int pid)
    {
        foreach (SandboxId sandbox in new ContainerIndex(directories).All().Select(static item => item.Sandbox).Distinct())
        {
            if (SandboxStateStore.Read(directories.StateFile(sandbox))?.Containers.Any(container => container.Pid == pid) ?? false)
            {
                return sandbox;
            }
        }

        return null;
    }
}
