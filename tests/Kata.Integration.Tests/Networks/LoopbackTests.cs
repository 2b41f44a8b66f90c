using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Kata.Integration.Tests.Networks;

/// <summary>
/// Who connects to the loopback interface of the pod's network namespace on the host, as engines do to forward a port, reaches the guest's.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed class LoopbackTests : IClassFixture<NetworkFixture>
{
    private readonly NetworkFixture _host;

    public LoopbackTests(NetworkFixture host)
    {
        RuntimeFixture.Require();
        _host = host;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connection_ToTheNamespacesLoopback_ReachesTheGuests()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string before = await network.StateAsync();
        string sockets = await SocketsAsync(network);
        string directory = _host.NewDirectory("www");
        byte[] content = RandomNumberGenerator.GetBytes(8 << 20);
        await File.WriteAllBytesAsync(Path.Combine(directory, "file"), content, Cancellation);
        string pod = await _host.StartAsync(network, bundle => bundle.Mount("/www", "bind", directory, "bind"));
        await _host.ShellAsync(pod, "httpd -p 127.0.0.1:8080 -h /www; httpd -p '[::1]:8081' -h /www; httpd -p 8082 -h /www");

        foreach (string address in (string[])["127.0.0.1:8080", "[::1]:8081", "127.0.0.1:8082", "[::1]:8082", "127.0.0.1:8081"])
        {
            Assert.Equal(content, (await RunAsync(network, default, "wget", "-q", "-O", "-", $"http://{address}/file")).Ok().Output);
        }

        // Only the loopback interface: the namespace's own addresses are the guest's by its cards.
        Assert.NotEqual(0, (await RunAsync(network, default, "wget", "-q", "-T", "5", "-O", "-", "http://10.77.0.2:8082/file")).ExitCode);
        await _host.DeleteAsync(pod);
        Assert.Equal(before, await network.StateAsync());
        Assert.Equal(sockets, await SocketsAsync(network));
        await _host.AssertCleanAsync();
    }

    // The far end answers when it has seen the end of what it is sent: each direction ends by itself.
    [Fact]
    public async Task Connection_EndsOneDirection_TheOtherGoesOn()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        byte[] content = RandomNumberGenerator.GetBytes(5_000_000);
        string pod = await _host.StartAsync(network);
        await _host.ShellAsync(pod, Server("sha256sum"));

        string[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using Socket socket = await ConnectAsync(network, 7000);
            await socket.SendAsync(content, Cancellation);
            socket.Shutdown(SocketShutdown.Send);
            return Encoding.ASCII.GetString(await ReadAsync(socket));
        }));

        string sum = Convert.ToHexStringLower(SHA256.HashData(content));
        Assert.All(answers, answer => Assert.StartsWith(sum, answer, StringComparison.Ordinal));
        await _host.DeleteAsync(pod);
    }

    [Fact]
    public async Task Connection_ThatNobodyTakes_Breaks()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await _host.StartAsync(network);

        using Socket refused = await ConnectAsync(network, 9);
        Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => ReadAsync(refused))).SocketErrorCode);
        await _host.DeleteAsync(pod);
    }

    [Fact]
    public async Task Connections_ThatAreOpenAndSilent_DoNotHoldUpOthersNorThePodsEnd()
    {
        await using TestNetwork network = await TestNetwork.CreateWithLinkAsync();
        string pod = await _host.StartAsync(network);
        await _host.ShellAsync(pod, Server("head -c 20000000 /dev/zero"));
        var silent = new List<Socket>();
        for (int count = 0; count < 40; count++)
        {
            silent.Add(await ConnectAsync(network, 7000)); // nobody reads what comes
        }

        using (Socket one = await ConnectAsync(network, 7000))
        {
            Assert.Equal(20_000_000, (await ReadAsync(one)).Length);
        }

        Assert.Equal("still here", await _host.ShellAsync(pod, "printf 'still here'"));
        await _host.DeleteAsync(pod);
        await _host.AssertCleanAsync();
        foreach (Socket socket in silent)
        {
            Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => ReadAsync(socket))).SocketErrorCode);
            socket.Dispose();
        }
    }

    // Gives a program each connection, and is there when this returns.
    private static string Server(string program) =>
        $"busybox nc -ll -p 7000 -e {program} >/dev/null 2>&1 </dev/null & "
            + "for i in 1 2 3 4 5 6 7 8 9; do netstat -ltn | grep -q :7000 && exit 0; sleep 0.2; done; exit 1";

    private static async Task<Socket> ConnectAsync(TestNetwork network, int port)
    {
        Socket socket = NamespaceThread.Run(() =>
        {
            using SafeFileHandle file = File.OpenHandle(network.Path);
            Assert.Equal(0, LibC.setns(new SafeFileDescriptor((int)file.DangerousGetHandle(), ownsHandle: false), LibC.CLONE_NEWNET));
            return new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        });
        await socket.ConnectAsync(IPAddress.Loopback, port, Cancellation);
        return socket;
    }

    private static async Task<byte[]> ReadAsync(Socket socket)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(RuntimeFixture.Limit);
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await socket.ReceiveAsync(buffer, limit.Token)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    // Those that listen.
    private static async Task<string> SocketsAsync(TestNetwork network) =>
        (await RunAsync(network, default, "netstat", "-ltun")).Ok().Text;

    private static async Task<CommandResult> RunAsync(TestNetwork network, ReadOnlyMemory<byte> input, params string[] command)
    {
        using RunningCommand running = RunningCommand.Start(
            "/usr/bin/nsenter", [$"--net={network.Path}", "/usr/bin/timeout", "120", RootFileSystem.Busybox!, .. command]);
        return await running.FinishAsync(input, RuntimeFixture.Limit);
    }
}
