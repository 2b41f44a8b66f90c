using System.Formats.Tar;
using System.Security.Cryptography;

namespace Kata.Testing;

/// <summary>An image of one layer in the form of <c>docker save</c>, which <c>ctr images import</c> reads.</summary>
public static class DockerArchive
{
    /// <param name="archive">The file to write; its directory holds the parts too.</param>
    /// <param name="rootFs">The image's root file system.</param>
    /// <param name="name">The image, with its tag.</param>
    /// <param name="command">The program that it runs when none is given, as a JSON array.</param>
    public static void Write(string archive, string rootFs, string name, string command)
    {
        string folder = Directory.CreateDirectory(archive + ".parts").FullName, layer = Path.Combine(folder, "layer.tar");
        TarFile.CreateFromDirectory(rootFs, layer, includeBaseDirectory: false);
        string digest = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(layer)));
        File.WriteAllText(Path.Combine(folder, "config.json"), $$$"""
            {
              "architecture": "amd64", "os": "linux", "config": { "Env": ["PATH=/bin"], "Cmd": {{{command}}} },
              "rootfs": { "type": "layers", "diff_ids": ["sha256:{{{digest}}}"] }
            }
            """);
        File.WriteAllText(
            Path.Combine(folder, "manifest.json"),
            $$"""[{ "Config": "config.json", "RepoTags": ["{{name}}"], "Layers": ["layer.tar"] }]""");
        TarFile.CreateFromDirectory(folder, archive, includeBaseDirectory: false);
    }
}
