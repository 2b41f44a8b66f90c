using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.Cri;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Reads what containerd's CRI service asks of a pod that has no container of its own. Pure.</summary>
internal static class CriPodSettings
{
    /// <summary>The message's name in an Any.</summary>
    public const string TypeUrl = "runtime.v1.PodSandboxConfig";

    /// <summary>
    /// Those that the allow-list of the configuration is for. Here they are the user's own: what engines write (how large a pod is, whose
    /// container it is) would be believed.
    /// </summary>
    private const string OwnAnnotations = "io.katacontainers.";

    /// <param name="id">The pod.</param>
    /// <param name="options">Its configuration, or null for a pod without wishes.</param>
    /// <param name="annotations">Further ones, by another way than the configuration.</param>
    /// <exception cref="InvalidSpecException">It is another runtime's, cannot be read, or asks for what a machine cannot give.</exception>
    public static PodSettings Read(SandboxId id, Any? options, IReadOnlyDictionary<string, string> annotations)
    {
        PodSandboxConfig config = Parse(options);
        LinuxPodSandboxConfig linux = config.Linux ?? new LinuxPodSandboxConfig();
        NamespaceOption namespaces = linux.SecurityContext?.NamespaceOptions ?? new NamespaceOption { Pid = NamespaceMode.Container };
        if (namespaces.UsernsOptions is { Mode: NamespaceMode.Pod })
        {
            throw new InvalidSpecException(
                "/linux/security_context/namespace_options/userns_options",
                "asks for a user namespace, and the guest's kernel maps no ids on shared files",
                "Leave hostUsers out: the machine separates the pod from the host");
        }

        return new PodSettings
        {
            Id = id,
            Hostname = config.Hostname,
            ResolverLines = ResolverLines(config.DnsConfig ?? new DNSConfig()),
            Annotations = annotations.Concat(config.Annotations)
                .Where(static item => item.Key.StartsWith(OwnAnnotations, StringComparison.Ordinal))
                .GroupBy(static item => item.Key).ToDictionary(static item => item.Key, static item => item.Last().Value),
            Sysctls = new Dictionary<string, string>(linux.Sysctls),
            Resources = ResourcesOf(linux.Resources ?? new LinuxContainerResources()),
            CgroupsPath = linux.CgroupParent.Length == 0 ? null : GroupOf(linux.CgroupParent, id),
            IsInHostNetwork = namespaces.Network == NamespaceMode.Node,
            SharesPidNamespace = namespaces.Pid == NamespaceMode.Pod,
        };
    }

    private static PodSandboxConfig Parse(Any? options)
    {
        if (options is null || options.TypeUrl.Length == 0)
        {
            return new PodSandboxConfig();
        }

        if (options.TypeUrl[(options.TypeUrl.LastIndexOf('/') + 1)..] != TypeUrl)
        {
            throw new InvalidSpecException(
                "/options", $"is of the type '{PrintableText.Escape(options.TypeUrl)}'", $"Give '{TypeUrl}', or none");
        }

        try
        {
            return PodSandboxConfig.Parser.ParseFrom(options.Value);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new InvalidSpecException("/options", $"is no '{TypeUrl}'", "Use a containerd that speaks version v1 of the CRI", error);
        }
    }

    // As resolv.conf(5) has them. Without any the host's file counts, as for a container without a machine.
    private static List<string> ResolverLines(DNSConfig dns)
    {
        var lines = new List<string>();
        if (dns.Searches.Count > 0)
        {
            lines.Add($"search {string.Join(' ', dns.Searches)}");
        }

        lines.AddRange(dns.Servers.Select(static server => $"nameserver {server}"));
        if (dns.Options.Count > 0)
        {
            lines.Add($"options {string.Join(' ', dns.Options)}");
        }

        return lines;
    }

    private static LinuxResources ResourcesOf(LinuxContainerResources resources) => new()
    {
        Cpu = new LinuxCpu
        {
            Quota = resources.CpuQuota == 0 ? null : resources.CpuQuota,
            Period = resources.CpuPeriod <= 0 ? null : (ulong)resources.CpuPeriod,
            Shares = resources.CpuShares <= 0 ? null : (ulong)resources.CpuShares,
            Cpus = resources.CpusetCpus.Length == 0 ? null : resources.CpusetCpus,
        },
        Memory = new LinuxMemory { Limit = resources.MemoryLimitInBytes == 0 ? null : resources.MemoryLimitInBytes },
    };

    // The group of the pod's own container would have this name; systemd's driver names a slice.
    private static string GroupOf(string parent, SandboxId id) => parent.EndsWith(".slice", StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"{parent[(parent.LastIndexOf('/') + 1)..]}:cri-containerd:{id}")
        : $"{parent.TrimEnd('/')}/{id}";
}
