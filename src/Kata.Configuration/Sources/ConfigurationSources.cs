using System.Globalization;
using System.Runtime.InteropServices;

namespace Kata.Configuration;

/// <summary>Where configuration comes from and what machine it is for.</summary>
internal sealed record ConfigurationSources
{
    /// <summary>Where <c>make install</c>, packages and the installer for clusters put what they install.</summary>
    private static readonly string[] s_knownPrefixes = ["/usr/local", "/usr", "/opt/kata"];

    /// <summary>
    /// Where distributions put virtiofsd, in order: the Rust one's on Debian 13 and Fedora, on others, by hand; then QEMU's own
    /// on Debian 12, which writes what is mapped from an O_APPEND file to the wrong place.
    /// </summary>
    private static readonly string[] s_virtioFsDaemonPaths =
        ["/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/local/bin/virtiofsd", "/usr/bin/virtiofsd", "/usr/lib/qemu/virtiofsd"];

    /// <summary>The file the user named; it must exist, and then nothing is searched.</summary>
    internal string? ExplicitPath { get; init; }

    /// <summary>
    /// The files that are looked for in turn, of which only the first that exists is used: the administrator's, then the installed ones.
    /// </summary>
    internal IReadOnlyList<string> SearchPaths
    {
        get => field ?? ["/etc/kata-containers/configuration.toml", .. Installed("share/defaults/kata-containers/configuration.toml")];
        init;
    }

    /// <summary>The prefix of this installation, such as <c>/usr/local</c>: the guest's files are below its <c>share</c>.</summary>
    internal required string InstallPrefix { get; init; }

    /// <summary>The host's processors.</summary>
    internal required int HostCpuCount { get; init; }

    /// <summary>The host's memory.</summary>
    internal long HostMemoryMib { get; init; } = 16_777_216;

    /// <summary>The most virtual processors a machine of this architecture can have.</summary>
    internal int MaxVcpus { get; init; } = 240; // what Kata allows on x86-64; QEMU's q35 stops at 255 without an interrupt remapper

    /// <summary>Places of the monitor, in order.</summary>
    internal IReadOnlyList<string> HypervisorPaths { get; init; } =
        [$"/usr/bin/qemu-system-{MachineOf(RuntimeInformation.OSArchitecture)}"];

    /// <summary>
    /// Places of virtiofsd, in order: the one that <c>make</c> fetches where the distribution has only QEMU's, then the distribution's.
    /// </summary>
    internal IReadOnlyList<string> VirtioFsDaemonPaths
    {
        get => field ?? [.. Installed("libexec/kata-containers/virtiofsd/virtiofsd"), .. s_virtioFsDaemonPaths];
        init;
    }

    /// <summary>The file system.</summary>
    internal IConfigurationFiles Files { get; init; } = HostFiles.Instance;

    /// <summary>This machine and this installation.</summary>
    /// <param name="explicitPath">
    /// The file from <c>--kata-config</c>; null or empty when not given, then the environment variable <c>KATA_CONF_FILE</c> counts.
    /// </param>
    internal static ConfigurationSources ForHost(string? explicitPath)
    {
        if (string.IsNullOrEmpty(explicitPath))
            explicitPath = Environment.GetEnvironmentVariable("KATA_CONF_FILE");
        string? executable = Environment.ProcessPath is { } path ? HostFiles.Instance.Resolve(path) : null;
        string prefix = Path.GetDirectoryName(Path.GetDirectoryName(executable)) ?? "/usr";
        return new ConfigurationSources
        {
            ExplicitPath = string.IsNullOrEmpty(explicitPath) ? null : explicitPath,
            InstallPrefix = prefix,
            HostCpuCount = Environment.ProcessorCount,
            HostMemoryMib = ReadMemoryMib(),
        };
    }

    /// <summary>Where a file of an installation may be, in order: beside this executable, then where a copy of it finds it.</summary>
    /// <param name="file">Relative to the prefix.</param>
    internal IReadOnlyList<string> Installed(string file) =>
        [.. s_knownPrefixes.Prepend(InstallPrefix).Distinct().Select(prefix => Path.Combine(prefix, file))];

    /// <summary>QEMU's name of an architecture.</summary>
    internal static string MachineOf(Architecture architecture) => architecture switch
    {
        Architecture.X64 => "x86_64",
        Architecture.Arm64 => "aarch64",
        Architecture.Ppc64le => "ppc64",
        _ => architecture.ToString().ToLowerInvariant(), // s390x, riscv64, loongarch64
    };

    // "MemTotal:       24689012 kB", proc(5). What .NET calls available is cut to the control group of whoever calls us.
    private static long ReadMemoryMib()
    {
        string[] words = File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(words[1], CultureInfo.InvariantCulture) >> 10;
    }
}
