using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Hosting;

/// <summary>Which pod a new container is of: what its annotations say, or who has the network that it asks for.</summary>
internal sealed class PodMembership(SandboxDirectories directories)
{
    /// <summary>A container that names the network of another one's process joins its pod: a network is one machine's.</summary>
    public PodIdentity Of(RuntimeSpec spec)
    {
        PodIdentity pod = PodAnnotations.Identify(spec.Annotations);
        return pod.Kind == PodKind.SinglePod
            && PodNamespaces.NetworkOf(spec) is { Path.Length: > 0 } network && PodNamespaces.ProcessOf(network) is { } pid
            && OfProcess(pid) is { } sandbox
                ? new PodIdentity(PodKind.PodContainer, sandbox)
                : pod;
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
