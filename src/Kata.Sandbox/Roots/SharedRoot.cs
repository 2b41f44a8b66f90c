using Kata.Linux;
using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>A directory of the host, or what is to be mounted on it there, that the guest sees through the share.</summary>
/// <param name="Directory">It.</param>
internal sealed record SharedRoot(SharedMount Directory) : ContainerRoot
{
    /// <summary>One that is read-only is so on the host, from the beginning.</summary>
    public override bool TakesNodes => !Directory.ReadOnly;

    public override Task<OpenRoot> OpenAsync(
        StorageSet storages, SafeFileDescriptor? callerMountNamespace, CancellationToken cancellationToken) =>
        Task.FromResult<OpenRoot>(new OpenSharedRoot(
            HostMounts.Open(Directory.HostPath, Directory.Recursive, Directory.Mounts, callerMountNamespace), Directory.ReadOnly));
}
