namespace Kata.Hypervisor;

/// <summary>A hypervisor driver.</summary>
internal interface IVirtualMachineFactory
{
    /// <summary>The driver's name as in configuration sections: <c>qemu</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Checks and opens everything the machine needs, without starting a process. Takes ownership of
    /// <paramref name="resources"/> whatever happens.
    /// </summary>
    /// <exception cref="HypervisorException">Something the configuration names is missing or not of its kind.</exception>
    Task<IVirtualMachine> CreateAsync(VirtualMachineConfig config, VirtualMachineResources resources, CancellationToken cancellationToken);
}
