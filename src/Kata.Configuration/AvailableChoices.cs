namespace Kata.Configuration;

/// <summary>What Kata's configuration can ask for and this version has no driver for. Silence would run something else than was asked for.</summary>
internal static class AvailableChoices
{
    /// <exception cref="ConfigurationException">The first of the errors.</exception>
    internal static void Check(KataConfiguration configuration)
    {
        if (Find(configuration).FirstOrDefault() is { } error)
            throw error;
    }

    internal static IEnumerable<ConfigurationException> Find(KataConfiguration configuration)
    {
        HypervisorConfig hypervisor = configuration.Hypervisor;
        if (hypervisor.Name != "qemu")
        {
            yield return new ConfigurationException(
                configuration.OriginOf(AnyHypervisorKey(configuration)), $"there is no driver for [hypervisor.{hypervisor.Name}] yet", "Use [hypervisor.qemu]");
        }

        if (hypervisor.ImagePath is not null)
        {
            yield return new ConfigurationException(
                configuration.OriginOf("hypervisor.image"),
                $"hypervisor.image holds {Write(hypervisor.ImagePath)}, and guests cannot boot from a disk image yet",
                "Leave it out and set 'initrd', or leave both out for the installation's own guest");
        }
    }

    internal static string Write(string path) => ConfigurationValue.Write(Oci.SpecText.Clean(path));

    private static string AnyHypervisorKey(KataConfiguration configuration) =>
        configuration.Values.Set.Select(static item => item.Key).FirstOrDefault(static key => key.StartsWith("hypervisor.", StringComparison.Ordinal))
        ?? "runtime.hypervisor_name";
}
