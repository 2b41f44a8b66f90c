using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Hypervisor.Qemu;

namespace Kata.Service;

/// <summary>The hypervisors that this program can use.</summary>
internal static class Drivers
{
    /// <summary>How machines of the configured hypervisor would run on this host.</summary>
    /// <exception cref="ConfigurationException">There is no driver for it.</exception>
    public static AcceleratorChoice Probe(KataConfiguration configuration)
    {
        AvailableChoices.Check(configuration);
        return Catalog.Find(configuration.Hypervisor.Name).Probe();
    }

    public static HypervisorCatalog Catalog { get; } = new(new QemuDriver());
}
