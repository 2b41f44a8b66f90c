using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// What a container's root file system really is, and so how it comes into the guest: a <see cref="SharedRoot"/> or a
/// <see cref="BlockRoot"/>. <see cref="RootPlanner"/> decides.
/// </summary>
internal abstract record ContainerRoot
{
    private protected ContainerRoot()
    {
    }

    /// <summary>
    /// Whether the guest's runtime can make in it what is missing: nodes, mount points, the working directory. Where the specification
    /// wants it read-only the runtime makes it so afterwards.
    /// </summary>
    public abstract bool TakesNodes { get; }

    /// <summary>Opens it on the host, and gives it to the guest if the share does not.</summary>
    /// <param name="storages">The pod's.</param>
    /// <param name="callerMountNamespace">Whose paths the host's are; null for our own.</param>
    /// <param name="cancellationToken">Calls it off: nothing is left of it then.</param>
    public abstract Task<OpenRoot> OpenAsync(
        StorageSet storages, SafeFileDescriptor? callerMountNamespace, CancellationToken cancellationToken);
}
