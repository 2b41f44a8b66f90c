using System.Globalization;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Hosting;

/// <summary>Finds a container's pod and reaches its service.</summary>
internal sealed class ContainerLookup(SandboxDirectories directories)
{
    /// <summary>
    /// The container that a person means: the one of that id, else the only one that its engine gave that name. Where there is none, the
    /// text as an id: what to say of that is the verb's.
    /// </summary>
    /// <exception cref="InvalidSpecException">The text is no id.</exception>
    /// <exception cref="ArgumentException">Several have that name; the text names them.</exception>
    public ContainerId Resolve(string text, string action) => Resolve(text, action, byBeginning: false);

    /// <summary>
    /// The same, else the only one whose id begins so. For verbs that only look: 'kill web' must not reach 'web2' when 'web' is gone.
    /// </summary>
    /// <inheritdoc cref="Resolve(string, string)"/>
    public ContainerId ResolveToRead(string text, string action) => Resolve(text, action, byBeginning: true);

    private ContainerId Resolve(string text, string action, bool byBeginning)
    {
        ContainerId exact = ContainerId.Parse(text);
        var index = new ContainerIndex(directories);
        if (index.Find(exact) is not null)
        {
            return exact;
        }

        List<(ContainerId Container, SandboxId Sandbox)> all = [.. index.All()];
        List<ContainerId> begun = byBeginning
            ? [.. all.Select(static entry => entry.Container).Where(id => id.Value.StartsWith(text, StringComparison.Ordinal))]
            : [];
        return Only(FindByName(all, text), "containers have that name", "Give the id of the one that is meant")
            ?? Only(begun, "ids begin so", "Give more of the one that is meant")
            ?? exact;

        ContainerId? Only(List<ContainerId> candidates, string what, string remedy)
        {
            const int MostNames = 5;
            if (candidates.Count < 2)
            {
                return candidates.Count == 1 ? candidates[0] : null;
            }

            string names = string.Join(", ", candidates.Take(MostNames));
            if (candidates.Count > MostNames)
            {
                names += string.Create(CultureInfo.InvariantCulture, $" and {candidates.Count - MostNames} more");
            }

            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"Cannot {action} the container '{text}': {candidates.Count} {what}: {names}. {remedy}"));
        }
    }

    // A pod whose state cannot be read has no names: what is wrong with it, its own verbs say.
    private List<ContainerId> FindByName(List<(ContainerId Container, SandboxId Sandbox)> all, string name)
    {
        var found = new List<ContainerId>();
        foreach (IGrouping<SandboxId, ContainerId> pod in all.GroupBy(static entry => entry.Sandbox, static entry => entry.Container))
        {
            try
            {
                SandboxState? state = SandboxStateStore.Read(directories.StateFile(pod.Key));
                found.AddRange(pod.Where(id => state?.Containers.FirstOrDefault(item => item.Id == id.Value) is { } container
                    && PodAnnotations.NamesOf(container.Annotations).Contains(name)));
            }
            catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                continue;
            }
        }

        return found;
    }

    /// <summary>What a start may take beyond the usual; null when nothing limits it.</summary>
    public static TimeSpan? LimitOfStartHooks(ContainerState state) =>
        state.StartHookSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <exception cref="SandboxStateException">The id is not known.</exception>
    public SandboxId Find(ContainerId container, string action) =>
        new ContainerIndex(directories).Find(container)
            ?? throw SandboxStateException.NotFound($"{action} the container", "it", container.Value);

    /// <summary>The pod that a person means: the one of that id, else that of a container of that id or name.</summary>
    /// <exception cref="SandboxStateException">There is none.</exception>
    public SandboxId ResolvePod(string text, string action) =>
        SandboxId.TryParse(text, out SandboxId pod) && Directory.Exists(directories.Sandbox(pod))
            ? pod
            : Find(Resolve(text, action), action);

    /// <summary>Connects to a pod's service.</summary>
    /// <exception cref="SandboxStateException">The service is gone.</exception>
    public PodClient Connect(SandboxId pod, string action) => Connect(pod, ContainerId.Parse(pod.Value), action);

    /// <summary>Connects to the container's service.</summary>
    /// <exception cref="SandboxStateException">The id is not known, or the service is gone and the container with it.</exception>
    public PodClient Connect(ContainerId container, string action) => Connect(Find(container, action), container, action);

    private PodClient Connect(SandboxId sandbox, ContainerId container, string action)
    {
        try
        {
            return PodClient.Connect(directories, sandbox);
        }
        catch (LinuxException error) when (error.Errno is Errno.ENOENT or Errno.ECONNREFUSED)
        {
            throw SandboxStateException.WrongState(
                $"{action} the container",
                container.Value,
                "stopped (container not running: its pod's service is gone)",
                "in a living pod; delete it with 'kata-runtime delete'");
        }
        catch (LinuxException error)
            when (error.Errno is Errno.EAGAIN && new SandboxRecovery(directories).ServiceOf(sandbox) is { } service)
        {
            throw PodClient.Hung($"{action} the container", container, service.Pid); // its queue is full of callers that gave up
        }
    }

    /// <summary>What is on disk about a container; with the pod's service dead, every container counts as stopped.</summary>
    public ContainerState Read(ContainerId container, string action) => Read(container, action, out _);

    /// <summary>The same, with what is on disk about its pod; null while nothing is.</summary>
    public ContainerState Read(ContainerId container, string action, out SandboxState? state)
    {
        SandboxId sandbox = Find(container, action);
        state = SandboxStateStore.Read(directories.StateFile(sandbox));
        ContainerState? found = state?.Containers.FirstOrDefault(item => item.Id == container.Value);
        if (found is null)
        {
            // The id is claimed and nothing is written yet: the pod is booting, or whoever booted it was killed.
            bool beginning = new SandboxRecovery(directories).IsServed(sandbox);
            return new ContainerState
            {
                Id = container.Value,
                OciVersion = "1.0.2",
                Bundle = "",
                RootFs = "",
                Status = beginning ? ContainerStatus.Creating : ContainerStatus.Stopped,
                Created = new ContainerIndex(directories).ClaimedAt(container),
                Reason = beginning ? null : "its creation was interrupted; remove what is left with 'kata-runtime delete --force'",
            };
        }

        return state!.Service.IsAlive() ? found : found with
        {
            Status = ContainerStatus.Stopped,
            Pid = 0,
            ExitStatus = found.ExitStatus ?? GuestProcess.LostStatus,
            Reason = found.Status == ContainerStatus.Stopped ? found.Reason : "the pod's service has ended unexpectedly",
        };
    }
}
