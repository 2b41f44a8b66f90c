namespace Kata.Hypervisor;

/// <summary>
/// What the service opened for one virtual machine. <see cref="IHypervisorDriver.CreateAsync"/> takes ownership, whether it
/// succeeds or not.
/// </summary>
internal sealed class MachineResources : IDisposable
{
    /// <summary>
    /// An existing directory of this machine only, mode 0700. The driver removes what it puts there; the caller removes the directory.
    /// </summary>
    public required string RuntimeDirectory { get; init; }

    /// <summary>Where the bounded copy of the guest's console goes, or null for memory only.</summary>
    public string? ConsoleLogPath { get; init; }

    /// <summary>The descriptors of <see cref="MachineConfig.Devices"/>.</summary>
    public DeviceDescriptors Descriptors { get; init; } = new();

    public void Dispose() => Descriptors.Dispose();
}
