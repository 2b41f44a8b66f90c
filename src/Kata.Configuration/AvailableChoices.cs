namespace Kata.Configuration;

/// <summary>What Kata's configuration can ask for and this version has no driver for. Silence would run something else.</summary>
internal static class AvailableChoices
{
    private const string FileSharing = "hypervisor.shared_fs";
    private const string VirtioFs = "virtio-fs";
    private const string NetworkModel = "runtime.internetworking_model";
    private const string TcFilter = "tcfilter";

    // Files of the host by other drivers than ours: containers see no difference.
    private static readonly string[] s_readAsVirtioFs = ["virtio-9p", "inline-virtio-fs"];

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
                configuration.OriginOf(AnyHypervisorKey(configuration)),
                $"there is no driver for [hypervisor.{hypervisor.Name}] yet",
                "Use [hypervisor.qemu]");
        }

        if (hypervisor.ImagePath is not null)
        {
            yield return new ConfigurationException(
                configuration.OriginOf("hypervisor.image"),
                $"hypervisor.image holds {Write(hypervisor.ImagePath)}, and guests cannot boot from a disk image yet",
                "Leave it out and set 'initrd', or leave both out for the installation's own guest");
        }

        if (hypervisor.SharedFs != VirtioFs)
        {
            yield return new ConfigurationException(
                configuration.OriginOf(FileSharing),
                $"{FileSharing} holds {Write(hypervisor.SharedFs)}, for which there is no driver yet",
                "Use \"virtio-fs\", or leave it out");
        }

        (string Key, long Rate)? rate = configuration.Runtime.NetworkModel switch
        {
            "macvtap" => ("hypervisor.rx_rate_limiter_max_rate", hypervisor.ReceiveBitsPerSecond), // nothing waits there
            "none" => ("hypervisor.tx_rate_limiter_max_rate", hypervisor.SendBitsPerSecond),
            _ => null,
        };
        if (rate is { Rate: > 0 } limit)
        {
            yield return new ConfigurationException(
                configuration.OriginOf(limit.Key),
                $"{limit.Key} holds {limit.Rate}, which the network model {Write(configuration.Runtime.NetworkModel)} cannot keep",
                $"Set {NetworkModel} to \"{TcFilter}\", or the rate to 0");
        }
    }

    /// <summary>How files are shared; what is refused is as it was set.</summary>
    internal static string FileSharingOf(ConfigurationValues values) =>
        values.Get(FileSharing).Text is var text && s_readAsVirtioFs.Contains(text) ? VirtioFs : text;

    /// <summary>
    /// How networks are connected. A bridge of the host, as Kata 1.x had it, does what filters do; and what suits any plugin is these.
    /// </summary>
    internal static string NetworkModelOf(ConfigurationValues values) =>
        values.Get(NetworkModel).Text is "bridged" or "enlightened" ? TcFilter : values.Get(NetworkModel).Text;

    /// <summary>What is read as something else that is there.</summary>
    internal static IReadOnlyList<string> Replaced(ConfigurationValues values)
    {
        (string Key, string Read)[] keys = [(FileSharing, FileSharingOf(values)), (NetworkModel, NetworkModelOf(values))];
        return
        [
            .. from key in keys
               let value = values.Get(key.Key)
               where value.Text != key.Read
               select $"{Oci.SpecText.Clean(value.Origin.ToString())}: {key.Key} holds {value}, which is read as \"{key.Read}\"",
        ];
    }

    internal static string Write(string path) => ConfigurationValue.Write(Oci.SpecText.Clean(path));

    private static string AnyHypervisorKey(KataConfiguration configuration) =>
        configuration.Values.Set
            .Select(static item => item.Key)
            .FirstOrDefault(static key => key.StartsWith("hypervisor.", StringComparison.Ordinal))
        ?? "runtime.hypervisor_name";
}
