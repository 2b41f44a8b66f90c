using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Network;

/// <summary>The sysctls that a new network namespace has, which others are compared with.</summary>
internal sealed class InitialSettings
{
    private const string Root = "/proc/sys/";
    private const int MaxValueBytes = 4096;
    private static readonly string[] s_directories = ["net/core", "net/ipv4", "net/ipv6"];

    // A link's size and way to make addresses go with the link itself; the others are secrets, which nobody can compare.
    private static readonly string[] s_left = ["mtu", "addr_gen_mode", "stable_secret", "tcp_fastopen_key"];

    // By the directory of a link's settings: that of which it has them at first. Of neighbours there is no other one that all have.
    private static readonly (string Links, string First)[] s_links =
        [("net/ipv4/conf/", "default"), ("net/ipv6/conf/", "default"), ("net/ipv4/neigh/", "lo"), ("net/ipv6/neigh/", "lo")];

    private readonly Dictionary<string, string> _values;

    private InitialSettings(Dictionary<string, string> values) => _values = values;

    /// <summary>Reads them on a thread that is in a new namespace and has set nothing.</summary>
    public static InitialSettings Read()
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in s_directories.Where(static item => Directory.Exists(Root + item)).SelectMany(static item =>
            Directory.EnumerateFiles(Root + item, "*", SearchOption.AllDirectories)))
        {
            if (!s_left.Contains(Path.GetFileName(path)) && ReadValue(path) is { } value)
            {
                values[path[Root.Length..]] = value;
            }
        }

        return new InitialSettings(values);
    }

    /// <summary>Those of the namespace that the calling thread is in, but for those of links, which differ.</summary>
    public IReadOnlyDictionary<string, NamespaceSetting> Changed() => _values.Keys
        .Where(static path => new NamespaceSetting(path, "", "").Link is null)
        .Select(path => Compare(path, _values[path]))
        .OfType<NamespaceSetting>()
        .ToDictionary(static item => item.Path, StringComparer.Ordinal);

    /// <summary>Those of a link that differ from what a new link has, here or in a new namespace.</summary>
    /// <param name="link">Its name.</param>
    /// <param name="changed">What <see cref="Changed"/> has said in this namespace.</param>
    public IEnumerable<NamespaceSetting> ChangedOf(string link, IReadOnlyDictionary<string, NamespaceSetting> changed)
    {
        foreach ((string links, string first) in s_links)
        {
            string start = $"{links}{first}/", own = $"{links}{link}/";
            foreach ((string path, string value) in _values.Where(item => item.Key.StartsWith(start, StringComparison.Ordinal)))
            {
                string here = own + path[start.Length..];
                string initial = _values.GetValueOrDefault(here, value);
                if (ReadValue(Root + here) is { } now && (now != initial || changed.ContainsKey(path)))
                {
                    yield return new NamespaceSetting(here, now, initial);
                }
            }
        }
    }

    private static NamespaceSetting? Compare(string path, string initial) =>
        ReadValue(Root + path) is { } now && now != initial ? new NamespaceSetting(path, now, initial) : null;

    // Null: there is none, it cannot be read, or nobody could have meant one that is so long.
    private static string? ReadValue(string path)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC, 0);
        if (file.IsInvalid)
        {
            return null;
        }

        try
        {
            Span<byte> buffer = stackalloc byte[MaxValueBytes];
            int length = DescriptorReader.ReadAt(file, buffer, 0, "read a sysctl");
            return length == MaxValueBytes ? null : Encoding.UTF8.GetString(buffer[..length]).TrimEnd('\n');
        }
        catch (LinuxException)
        {
            return null;
        }
    }
}
