using System.Globalization;

namespace Kata.Bench.Networks;

/// <summary>
/// A bridge in a network namespace of its own, one more namespace for whoever talks to the others, and as many as there are pods, all of
/// them ports of the bridge. Nothing of it is in the host's own namespace. Disposing removes all of it.
/// </summary>
internal sealed class BenchBridge : IDisposable
{
    /// <summary>What runs the words of <see cref="Within"/>.</summary>
    public const string NsEnter = "/usr/bin/nsenter";

    private const string Ip = "/sbin/ip";

    private readonly Workspace _workspace;
    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"kata-bench-{Environment.ProcessId}");
    private readonly List<string> _spaces = [];
    private int _ports;

    public BenchBridge(Workspace workspace)
    {
        _workspace = workspace;
        try
        {
            AddSpace("wire");
            AddSpace("peer");
            In("wire", "link add br0 type bridge", "link set br0 up");
            AddPort("peer", "eth0");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The address of the one who talks to the others, in the network of all ports.</summary>
    public static string PeerAddress => AddressOf(1);

    /// <summary>Makes a namespace with one port of the bridge, <c>eth0</c>, and returns its address.</summary>
    public string AddPod(string space)
    {
        AddSpace(space);
        return AddPort(space, "eth0");
    }

    /// <summary>Makes a tap that is itself a port of the bridge, in its namespace, and returns an address for who has it.</summary>
    public string AddTap(string tap, bool hasSeveralQueues)
    {
        string queues = hasSeveralQueues ? " multi_queue" : "";
        In("wire", $"tuntap add dev {tap} mode tap vnet_hdr{queues}", $"link set {tap} master br0 up");
        return AddressOf(++_ports);
    }

    /// <summary>What a specification names.</summary>
    public string PathOf(string space) => $"/run/netns/{_name}-{space}";

    /// <summary>Runs several commands of <c>ip</c> in a namespace; <c>{SPACE}</c> in them is the full name of another one.</summary>
    public void In(string space, params string[] commands)
    {
        string text = string.Join('\n', commands.Select(Named));
        _workspace.Time("/bin/sh", ["-c", $"{Ip} -n {_name}-{space} -batch - << 'END'\n{text}\nEND"]);
    }

    /// <summary>The words that run a program in a namespace.</summary>
    public string[] Within(string space, params string[] command) => ["--net=" + PathOf(space), .. command];

    /// <summary>Runs a program in the peer's namespace and returns what it has written.</summary>
    public string FromPeer(params string[] command)
    {
        (int code, string output, string error) = _workspace.Capture(NsEnter, Within("peer", command));
        return code == 0 ? output : throw new InvalidOperationException(
            $"{string.Join(' ', command)} ended with {code}: {error}{output}");
    }

    public void Dispose()
    {
        foreach (string space in _spaces)
        {
            _workspace.Capture(Ip, ["netns", "del", $"{_name}-{space}"]);
        }
    }

    private static string AddressOf(int number) => string.Create(CultureInfo.InvariantCulture, $"10.88.0.{number}");

    private void AddSpace(string space)
    {
        _workspace.Time(Ip, ["netns", "add", $"{_name}-{space}"]);
        _spaces.Add(space);
        In(space, "link set lo up");
    }

    private string AddPort(string space, string link)
    {
        string address = AddressOf(++_ports);
        In("wire", $"link add port{_ports} type veth peer name {link} netns {{{space}}}", $"link set port{_ports} master br0 up");
        In(space, $"addr add {address}/24 dev {link}", $"link set {link} up");
        return address;
    }

    private string Named(string command) =>
        _spaces.Aggregate(command, (text, space) => text.Replace($"{{{space}}}", $"{_name}-{space}", StringComparison.Ordinal));
}
