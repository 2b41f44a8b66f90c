using Kata.Integration.Tests.Clients;

namespace Kata.Integration.Tests.Networks;

/// <summary>What the tests of engines' networks share.</summary>
public abstract class EngineNetworkTests : IAsyncDisposable
{
    /// <summary>The address, and nothing else, of an interface of a container.</summary>
    private protected const string AddressOf = "busybox ip -o -4 address show dev";

    private readonly EngineFixture _engine;

    private protected EngineNetworkTests(EngineFixture engine)
    {
        engine.RequireEngine();
        _engine = engine;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            await _engine.RemoveEverythingAsync();
        }
    }

    /// <summary>
    /// A program for Perl that makes an echo request without capabilities, as the kernel lets the groups of
    /// <c>net.ipv4.ping_group_range</c>. Its argument is an address.
    /// </summary>
    private protected const string UnprivilegedPing =
        "use Socket; $SIG{ALRM} = sub { die 'no answer' }; alarm 10; socket(S, AF_INET, SOCK_DGRAM, 1) or die \"socket: $!\"; "
        + "send(S, pack('CCnnn', 8, 0, 0, 0, 1), 0, sockaddr_in(0, inet_aton($ARGV[0]))) or die \"send: $!\"; "
        + "defined recv(S, $reply, 100, 0) or die \"recv: $!\"; print 'reply ', unpack('C', $reply)";

    /// <summary>Answers, at the address of its first argument, every question for an IPv4 address with its second one; in Perl.</summary>
    private protected const string NameServer =
        "use Socket; socket(S, AF_INET, SOCK_DGRAM, 17) or die \"socket: $!\"; "
        + "bind(S, sockaddr_in(53, inet_aton($ARGV[0]))) or die \"bind: $!\"; "
        + "while ($from = recv(S, $q, 1500, 0)) { $q =~ /^(..).{10}([^\\0]*\\0(..)..)/s or next; $a = $3 eq \"\\0\\1\"; "
        + "send(S, $1 . pack('nnnnn', 0x8180, 1, $a ? 1 : 0, 0, 0) . $2 "
        + ". ($a ? pack('nnnNn', 0xc00c, 1, 1, 60, 4) . inet_aton($ARGV[1]) : ''), 0, $from) }";

    /// <summary>What lets a container run the host's Perl, which every Debian has.</summary>
    private protected static IEnumerable<string> HostPrograms =>
        new[] { "/usr", "/lib", "/lib64" }.SelectMany(static directory => new[] { "--volume", $"{directory}:{directory}:ro" });

    /// <summary>A program that serves the given text by HTTP at <c>/name</c>.</summary>
    private protected static string[] Server(string text, int port = 80) =>
        ["sh", "-c", $"mkdir -p /www; echo {text} > /www/name; exec busybox httpd -f -p {port} -h /www"];

    /// <summary>The output of a shell's script in a container, which must succeed.</summary>
    private protected async Task<string> ShellAsync(string container, string script) =>
        (await _engine.EngineAsync("exec", container, "sh", "-c", script)).Ok().Text;

    private protected Task<string> FetchAsync(string container, string url) =>
        ShellAsync(container, $"for i in $(seq 1 20); do busybox timeout 5 busybox wget -q -O - {url} && exit 0; sleep 0.1; done; exit 1");

    private protected Task PingAsync(string container, string address) =>
        ShellAsync(container, $"busybox ping -c 1 -W 5 {address}");

    /// <summary>The interfaces of a container but for the loopback one, in their order.</summary>
    private protected async Task<string> InterfacesAsync(string container) => string.Join(
        ' ',
        (await ShellAsync(container, "busybox ip -o link show")).Split('\n')
            .Select(static line => line.Split(": ")[1].Split('@')[0]).Where(static name => name != "lo"));

    /// <summary>Waits until a container's interfaces are these: the guest follows the namespace.</summary>
    private protected async Task InterfacesBecomeAsync(string container, string expected)
    {
        string seen = "";
        for (int attempt = 1; attempt <= 50 && (seen = await InterfacesAsync(container)) != expected; attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(expected, seen);
    }
}
