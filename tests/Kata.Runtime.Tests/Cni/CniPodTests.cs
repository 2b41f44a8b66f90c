using System.Globalization;
using Grpc.Core;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Sandbox.Protocol.V1;
using Kata.Testing;
using Kata.TtRpc;

namespace Kata.Runtime.Tests.Cni;

/// <summary>The plugin with a namespace that a pod has, whose service is the test's.</summary>
public sealed class CniPodTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedPod _pod = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Add_GuestFollows_ReturnsWhenItHas() => await ServeAsync(async path =>
    {
        _pod.Followed = [Guest("10.0.0.2/24")];
        CniCall call = await RunAsync("ADD", path);
        Assert.Equal(0, call.Status);
        Assert.Equal(1, _pod.Follows);
    });

    [Fact]
    public async Task Add_GuestRefuses_SaysWhyAndWhatToDo() => await ServeAsync(async path =>
    {
        _pod.Failure = new RpcException(new Status(StatusCode.Internal, "Cannot set up the network in the guest: no. Start another"));
        Assert.Equal((103, "Cannot set up the network in the guest: no. Start another"), (await RunAsync("ADD", path)).Error);
    });

    [Fact]
    public async Task Add_MachineTakesNoCard_IsTheServicesReason() => await ServeAsync(async path =>
    {
        _pod.Refusals = ["The interface 'eth0' is not in the guest: no bus. Have it there before"];
        Assert.Equal(
            (100, "Cannot give the interface 'eth0' to a guest: no bus. Have it there before"), (await RunAsync("ADD", path)).Error);
    });

    [Fact]
    public async Task Add_GuestHasAnother_IsAnError() => await ServeAsync(async path =>
    {
        (int code, string text) = (await RunAsync("ADD", path)).Error;
        Assert.Equal(102, code);
        Assert.Contains("Cannot confirm the network of the pod 'p1': the guest has no interface 'eth0'", text, StringComparison.Ordinal);
        Assert.Contains($"'kata-runtime --root {_directory.Path} network list-ifaces p1'", text, StringComparison.Ordinal);
    });

    [Fact]
    public async Task Check_GuestHasItOnceItHasFollowed_IsQuiet() => await ServeAsync(async path =>
    {
        _pod.Followed = [Guest("10.0.0.2/24")];
        (await RunAsync("CHECK", path)).AssertQuiet();
        Assert.Equal(1, _pod.Follows);
    });

    [Fact]
    public async Task Check_SomebodyHasChangedIt_SaysWhat() => await ServeAsync(async path =>
    {
        _pod.Followed = [Guest("10.0.0.9/24")];
        (int code, string text) = (await RunAsync("CHECK", path)).Error;
        Assert.Equal(102, code);
        Assert.Contains(
            "'eth0' does not have the address '10.0.0.2/24' in the guest; it has '10.0.0.9/24'", text, StringComparison.Ordinal);
    });

    [Fact]
    public async Task Del_OfALivingPod_AsksNobody() => await ServeAsync(async path =>
    {
        (await RunAsync("DEL", path)).AssertQuiet();
        Assert.Equal(0, _pod.Follows);
    });

    [Fact]
    public async Task Add_ServiceIsGone_IsAnErrorOfThePod()
    {
        using TestNetwork network = Create(out string path);
        (int code, string text) = (await RunAsync("ADD", path)).Error;
        Assert.Equal(103, code);
        Assert.Contains("its pod's service is gone", text, StringComparison.Ordinal);
    }

    private static NetworkInterface Guest(params string[] addresses) =>
        new() { Name = "eth0", HardwareAddress = "02:00:00:00:00:02", Addresses = { addresses } };

    private Task<CniCall> RunAsync(string command, string path) => CniCall.RunAsync(
        $$"""
        {"cniVersion":"1.0.0","name":"n","root":"{{_directory.Path}}","prevResult":{"interfaces":[{"name":"eth0",
         "mac":"02:00:00:00:00:02","sandbox":"{{path}}"}],"ips":[{"address":"10.0.0.2/24","interface":0}]} }
        """,
        $"CNI_COMMAND={command}", "CNI_CONTAINERID=c", $"CNI_NETNS={path}", "CNI_IFNAME=eth0").Within();

    // A namespace with an interface, and the state of a pod that has it: this process is its service.
    private TestNetwork Create(out string path)
    {
        TestNetwork network = TestNetwork.Create();
        network.Run(
            "ip link add eth0 address 02:00:00:00:00:02 type veth peer name far; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up");
        path = string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{network.Handle.DangerousGetHandle()}");
        using Kata.Network.NetworkNamespace space = Kata.Network.NetworkNamespace.Open(path, null);
        var directories = new SandboxDirectories(_directory.Path);
        var pod = SandboxId.Parse("p1");
        Directory.CreateDirectory(directories.Sandbox(pod));
        SandboxStateStore.Write(directories.StateFile(pod), new SandboxState
        {
            Version = SandboxState.CurrentVersion,
            Id = "p1",
            Runtime = "0",
            Service = ProcessIdentity.Of(Environment.ProcessId)!,
            Network = NamespaceState.Of(space),
        });
        return network;
    }

    private async Task ServeAsync(Func<string, Task> test)
    {
        using TestNetwork network = Create(out string path);
        using var listener = new SocketListener(
            UnixSocket.Listen(new SandboxDirectories(_directory.Path).TaskSocket(SandboxId.Parse("p1"))));
        using var stopping = new CancellationTokenSource();
        Task serving = AcceptAsync(listener, stopping.Token); // ends on stopping
        await test(path);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving).Within();
    }

    private async Task AcceptAsync(SocketListener listener, CancellationToken cancellationToken)
    {
        var server = new TtRpcServer();
        Sandbox.Protocol.V1.Sandbox.BindService(server.Services, _pod);
        while (true)
        {
            await using var stream = new DescriptorStream(await listener.AcceptAsync(cancellationToken));
            await server.ServeAsync(stream, cancellationToken);
        }
    }

    private sealed class ScriptedPod : Sandbox.Protocol.V1.Sandbox.SandboxBase
    {
        public NetworkInterface[] Followed { get; set; } = [];

        public string[] Refusals { get; set; } = [];

        public RpcException? Failure { get; set; }

        public int Follows { get; private set; }

        public override Task<FollowNetworkResponse> FollowNetwork(FollowNetworkRequest request, ServerCallContext context)
        {
            Follows++;
            return Failure is { } failure
                ? throw failure
                : Task.FromResult(new FollowNetworkResponse { Interfaces = { Followed }, Refusals = { Refusals } });
        }
    }
}
