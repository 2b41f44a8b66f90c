using Kata.Sandbox;

namespace Kata.Fuzz.Targets;

/// <summary>A host whose paths are what their last letter says.</summary>
internal sealed class FixedHost : IHostFiles
{
    public string HostName => "host";

    public HostFileKind KindOf(string path) => path[^1] switch
    {
        'm' => HostFileKind.Missing,
        's' => HostFileKind.Special,
        'f' => HostFileKind.RegularFile,
        _ => HostFileKind.Directory,
    };

    public ulong? NamespaceAt(string path) => path.EndsWith('n') ? (ulong)path.Length : null;

    public long? TmpfsSize(string path) => path.EndsWith("shm", StringComparison.Ordinal) ? 64 << 20 : null;
}
