using Kata.Linux;

namespace Kata.Hypervisor;

/// <summary>
/// What the service opened for one virtual machine. <see cref="IVirtualMachineFactory.CreateAsync"/> takes ownership, whether it
/// succeeds or not.
/// </summary>
internal sealed class VirtualMachineResources : IDisposable
{
    /// <summary>An existing directory of this machine only, mode 0700. The driver removes what it puts there; the caller removes the directory.</summary>
    public required string RuntimeDirectory { get; init; }

    /// <summary>Where the bounded copy of the guest's console goes, or null for memory only.</summary>
    public string? ConsoleLogPath { get; init; }

    /// <summary>The connected vhost-user socket per tag of <see cref="VirtualMachineConfig.SharedFilesystems"/>.</summary>
    public IReadOnlyDictionary<string, SafeFileDescriptor> SharedFilesystemSockets { get; init; } =
        new Dictionary<string, SafeFileDescriptor>();

    public void Dispose()
    {
        foreach (SafeFileDescriptor socket in SharedFilesystemSockets.Values)
        {
            socket.Dispose();
        }
    }
}
