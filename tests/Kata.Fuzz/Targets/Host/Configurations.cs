using System.Text;
using Kata.Configuration;

namespace Kata.Fuzz.Targets;

/// <summary>Configuration files, and what pods say against them.</summary>
internal sealed class Configurations
{
    private const string Permissive = """
        [hypervisor.qemu]
        enable_annotations = [".*"]
        valid_hypervisor_paths = ["/usr/bin/qemu*"]
        valid_virtio_fs_daemon_paths = ["/usr/libexec/virtiofsd"]
        """;

    private readonly KataConfiguration _configuration = LoadFrom(Encoding.UTF8.GetBytes(Permissive));

    public static void Load(byte[] input) => LoadFrom(input);

    /// <summary>The first line is the pattern, the rest what it is searched in.</summary>
    public static void MatchPattern(byte[] input)
    {
        string[] parts = Encoding.UTF8.GetString(input).Split('\n', 2);
        if (AllowPattern.TryParse(parts[0], out AllowPattern? pattern, out _))
        {
            _ = pattern!.IsMatch(parts[^1]);
        }
    }

    /// <summary>A line for each annotation, its name without the part that all have.</summary>
    public void Annotate(byte[] input)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in Encoding.UTF8.GetString(input).Split('\n'))
        {
            string[] pair = line.Split('=', 2);
            annotations[ConfigurationAnnotations.Prefix + pair[0]] = pair[^1];
        }

        KataConfiguration changed = ConfigurationAnnotations.Apply(_configuration, annotations);
        Finding.Unless(changed.Hypervisor.EnableAnnotations is [".*"], "a pod allowed itself more annotations");
    }

    public static KataConfiguration LoadFrom(byte[] text) => KataConfiguration.Load(new ConfigurationSources
    {
        ExplicitPath = OneFile.Path,
        InstallPrefix = "/usr",
        HostCpuCount = 2,
        Files = new OneFile(text),
    });
}
