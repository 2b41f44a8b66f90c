using Grpc.Core;
using Kata.Configuration;
using Kata.Oci;
using Kata.Sandbox.Protocol.V1;
using Kata.Testing;
using Kata.TtRpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kata.Service.Tests;

/// <summary><c>kata.sandbox.v1</c> of a pod that has no machine, over a connection.</summary>
public sealed class PodServiceTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly PodHost _host;
    private readonly TtRpcClient _client;
    private readonly InMemoryDuplex _far;
    private readonly Task _serving;
    private readonly Sandbox.Protocol.V1.Sandbox.SandboxClient _pod;

    public PodServiceTests()
    {
        Directory.CreateDirectory(_directory.File("p1"));
        _host = new PodHost(
            new ServiceOptions
            {
                Root = _directory.Path,
                Sandbox = SandboxId.Parse("p1"),
                Configuration = new ConfigurationSources { SearchPaths = [], InstallPrefix = "/usr/local", HostCpuCount = 1 },
            },
            NullLogger.Instance);
        var server = new TtRpcServer();
        Sandbox.Protocol.V1.Sandbox.BindService(server.Services, new PodService(_host, new PodLife(_host)));
        (InMemoryDuplex near, _far) = InMemoryDuplex.CreatePair();
        _serving = server.ServeAsync(_far, CancellationToken.None); // ends with the connection
        _client = new TtRpcClient(near);
        _pod = new Sandbox.Protocol.V1.Sandbox.SandboxClient(_client.CallInvoker);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _far.DisposeAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _host.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Network_OfAPodThatDoesNotRun_IsRefused()
    {
        const string Interfaces = ": its pod does not run. Only one that runs has interfaces";
        const string Routes = ": its pod does not run. Only one that runs has routes";
        var spec = new InterfaceSpec { Name = "eth1" };
        await AssertAsync(
            StatusCode.FailedPrecondition, "Cannot add the interface 'eth1'" + Interfaces,
            _pod.AddInterfaceAsync(new AddInterfaceRequest { Spec = spec }, cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.FailedPrecondition, "Cannot change the interface 'eth1'" + Interfaces,
            _pod.UpdateInterfaceAsync(new UpdateInterfaceRequest { Spec = spec }, cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.FailedPrecondition, "Cannot remove the interface 'eth1'" + Interfaces,
            _pod.RemoveInterfaceAsync(new RemoveInterfaceRequest { Name = "eth1" }, cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.FailedPrecondition, "Cannot list the interfaces of 'p1'" + Interfaces,
            _pod.ListInterfacesAsync(new ListInterfacesRequest(), cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.FailedPrecondition, "Cannot follow the network of 'p1'" + Interfaces,
            _pod.FollowNetworkAsync(new FollowNetworkRequest(), cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.FailedPrecondition, "Cannot change the routes of 'p1'" + Routes,
            _pod.UpdateRoutesAsync(new UpdateRoutesRequest(), cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.FailedPrecondition, "Cannot list the routes of 'p1'" + Routes,
            _pod.ListRoutesAsync(new ListRoutesRequest(), cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Network_RequestThatIsWrongInItself_IsInvalid()
    {
        const string Unnamed = "/device: no interface is named. Give its name or its hardware address";
        await AssertAsync(
            StatusCode.InvalidArgument, Unnamed, _pod.AddInterfaceAsync(new AddInterfaceRequest(), cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.InvalidArgument, Unnamed, _pod.UpdateInterfaceAsync(new UpdateInterfaceRequest(), cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.InvalidArgument, Unnamed, _pod.RemoveInterfaceAsync(new RemoveInterfaceRequest(), cancellationToken: Cancellation));
        await AssertAsync(
            StatusCode.InvalidArgument, "/add/0/destination: 'x' is no prefix",
            _pod.UpdateRoutesAsync(
                new UpdateRoutesRequest { Add = { new NetworkRoute { Destination = "x", Device = "eth0" } } },
                cancellationToken: Cancellation));
    }

    private static async Task AssertAsync<T>(StatusCode code, string text, AsyncUnaryCall<T> call)
    {
        using (call)
        {
            RpcException error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync).Within();
            Assert.Equal(code, error.StatusCode);
            Assert.Contains(text, error.Status.Detail, StringComparison.Ordinal);
        }
    }
}
