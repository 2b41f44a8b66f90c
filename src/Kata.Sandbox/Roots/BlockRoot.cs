using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// A file system on a block device or in a raw image of the host: a disk of the machine, which the guest mounts. The host reads nothing
/// of it.
/// </summary>
/// <param name="Container">Whose it is.</param>
/// <param name="Source">Absolute path of the device or the image, in the mount namespace of the pod's caller.</param>
/// <param name="FileSystem">As mount(8) calls it.</param>
/// <param name="ReadOnly">The machine cannot write to it. What the specification makes read-only is another matter.</param>
/// <param name="Options">Of the mount in the guest.</param>
internal sealed record BlockRoot(
    ContainerId Container, string Source, string FileSystem, bool ReadOnly, IReadOnlyList<string> Options) : ContainerRoot
{
    public override bool TakesNodes => !ReadOnly;

    public override async Task<OpenRoot> OpenAsync(
        StorageSet storages, SafeFileDescriptor? callerMountNamespace, CancellationToken cancellationToken)
    {
        var plan = new StoragePlan
        {
            Name = Container.Value,
            Source = Source,
            ReadOnly = ReadOnly,
            MountPoint = GuestPaths.Root(Container),
            FileSystem = FileSystem,
            Options = Options,
            IsRoot = true,
        };
        return new OpenBlockRoot(await storages.AddAsync(plan, cancellationToken), storages);
    }
}
