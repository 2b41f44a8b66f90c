using Kata.Configuration;

namespace Kata.Fuzz.Targets;

/// <summary>A file system in which one file has the input, and every other that is asked for exists and is empty.</summary>
internal sealed class OneFile(byte[] content) : IConfigurationFiles
{
    public const string Path = "/etc/kata-containers/configuration.toml";

    public byte[]? Read(string path, int maxBytes) => path == Path ? content : [];

    public IReadOnlyList<string> List(string directory) => [];

    public bool Exists(string path) => true;

    public string Resolve(string path) => path;
}
