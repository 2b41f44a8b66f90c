using System.Text;

namespace Kata.Configuration.Tests;

/// <summary>A file system in memory, with symbolic links by full path.</summary>
internal sealed class MemoryFiles : IConfigurationFiles
{
    internal const string Main = "/etc/kata-containers/configuration.toml";

    internal Dictionary<string, byte[]> Files { get; } = [];

    internal Dictionary<string, string> Links { get; } = [];

    internal HashSet<string> Unreadable { get; } = [];

    public byte[]? Read(string path, int maxBytes) =>
        Unreadable.Contains(path) ? throw new IOException("no permission") : Files.GetValueOrDefault(path);

    public IReadOnlyList<string> List(string directory) =>
        [.. Files.Keys.Where(path => Path.GetDirectoryName(path) == directory).OrderDescending(StringComparer.Ordinal)];

    public bool Exists(string path) => Files.ContainsKey(Resolve(path));

    public string Resolve(string path) => Links.GetValueOrDefault(Path.GetFullPath(path, "/"), Path.GetFullPath(path, "/"));

    internal MemoryFiles With(string path, string text)
    {
        Files[path] = Encoding.UTF8.GetBytes(text);
        return this;
    }

    internal ConfigurationSources Sources(int cpus = 4) => new() { InstallPrefix = "/opt/k", HostCpuCount = cpus, Files = this };

    internal static KataConfiguration Load(string toml, int cpus = 4) =>
        KataConfiguration.Load(new MemoryFiles().With(Main, toml).Sources(cpus));

    internal static string Refused(string toml) => Assert.Throws<ConfigurationException>(() => Load(toml)).Message;
}
