namespace Kata.Hypervisor;

/// <summary>All that the rest knows of a hypervisor.</summary>
internal interface IHypervisorDriver
{
    /// <summary>The driver's name as in configuration sections: <c>qemu</c>.</summary>
    string Name { get; }

    /// <summary>How machines of this driver would run on this host.</summary>
    AcceleratorChoice Probe();

    /// <summary>What a machine of the configuration can do. Asks nothing of the host.</summary>
    MachineCapabilities CapabilitiesOf(MachineConfig config);

    /// <summary>
    /// Checks and opens everything the machine needs, without starting a process. Takes ownership of
    /// <paramref name="resources"/> whatever happens.
    /// </summary>
    /// <exception cref="HypervisorException">
    /// Something the configuration names is missing or not of its kind, or the machine cannot have one of its devices.
    /// </exception>
    Task<IVirtualMachine> CreateAsync(MachineConfig config, MachineResources resources, CancellationToken cancellationToken);
}
