using StorageMessage = Kata.Sandbox.Protocol.V1.Storage;

namespace Kata.Runtime.Commands;

/// <summary>A storage as <c>storage list --format json</c> prints it.</summary>
internal sealed record StorageDocument(
    string Name, string Source, bool ReadOnly, string MountPoint, string FileSystem, IReadOnlyList<string> Options, string Device)
{
    public static StorageDocument Of(StorageMessage storage) => new(
        storage.Spec.Name, storage.Spec.Source, storage.Spec.ReadOnly, storage.Spec.MountPoint, storage.Spec.Filesystem,
        [.. storage.Spec.Options], storage.Device);
}
