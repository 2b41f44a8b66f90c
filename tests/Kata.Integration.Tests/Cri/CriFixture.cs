using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Kata.Integration.Tests.Containerd;
using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Kata.Integration.Tests.Cri;

/// <summary>
/// A containerd with its CRI service, in a network namespace of its own where the bridge plugin connects pods. The tests are its
/// kubelet. The runtime handlers are <see cref="Kata"/> and <see cref="Runc"/>, to put one scenario to both.
/// </summary>
public class CriFixture : ContainerdFixture
{
    internal const string Kata = "kata";
    internal const string Runc = "runc";

    /// <summary>Ours by containerd's Sandbox service, which containerd 2 has: pods without a container of their own.</summary>
    internal const string KataSandbox = "kata-sandbox";

    private const int NetworkNamespace = 0x40000000; // CLONE_NEWNET, linux/sched.h
    internal const string Plugins = "/usr/lib/cni";

    private SocketsHttpHandler? _handler;
    private GrpcChannel? _channel;

    public CriFixture()
    {
    }

    /// <inheritdoc cref="ContainerdFixture(string)"/>
    protected CriFixture(string suite)
        : base(suite)
    {
    }

    internal RuntimeService.RuntimeServiceClient Client { get; private set; } = null!;

    /// <summary>Where the kubelet would put the logs of pods.</summary>
    internal string Logs => Path.Combine(Folder, "logs");

    internal string Bundle(string container) => Path.Combine(Folder, "state/io.containerd.runtime.v2.task", Namespace, container);

    private protected override string Namespace => "k8s.io"; // the CRI service knows no other

    private protected override string ImageCommand => """["sleep", "1000000"]"""; // it is also the pods' own

    private protected override string[] Launcher => ["/usr/bin/unshare", "--net", "/bin/sh", "-c", "ip link set lo up; exec \"$0\" \"$@\""];

    private protected override string CriConfiguration => $"""
        [plugins."io.containerd.grpc.v1.cri"]
        sandbox_image = "{Image}"
        stream_server_address = "127.0.0.1"
        # runc cannot go below containerd's own where CAP_SYS_RESOURCE is missing
        restrict_oom_score_adj = true
        [plugins."io.containerd.grpc.v1.cri".cni]
        bin_dir = "{PluginDirectory}"
        conf_dir = "{Folder}/cni"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
        runtime_type = "io.containerd.kata.v2"
        pod_annotations = ["io.katacontainers.*"]
        privileged_without_host_devices = true
        {SandboxHandler}
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
        runtime_type = "io.containerd.runc.v2"
        """;

    /// <summary>Where network plugins are.</summary>
    private protected virtual string PluginDirectory => Plugins;

    /// <summary>What follows the bridge plugin in the list of pods' networks.</summary>
    private protected virtual string ChainedPlugins => "";

    /// <summary>Further runtime handlers of the configuration.</summary>
    private protected virtual string SandboxHandler => "";

    internal static void RequireCri()
    {
        RequireContainerd();
        Assert.SkipUnless(File.Exists($"{Plugins}/bridge"), "needs CNI plugins (Debian: apt-get install containernetworking-plugins)");
        Assert.SkipUnless(
            File.Exists("/usr/bin/containerd-shim-runc-v2"), "needs containerd-shim-runc-v2 (Debian: apt-get install containerd)");
    }

    /// <summary>Connects where the daemon is: its streaming server listens on its own loopback interface.</summary>
    internal async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        int pid = DaemonPid;
        Socket socket = NamespaceThread.Run(() =>
        {
            using SafeFileHandle file = File.OpenHandle($"/proc/{pid}/ns/net");
            Assert.Equal(0, LibC.setns(new SafeFileDescriptor((int)file.DangerousGetHandle(), ownsHandle: false), NetworkNamespace));
            return new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        });
        await socket.ConnectAsync(host, port, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private protected override async Task PrepareAsync()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "cni"));
        await File.WriteAllTextAsync(Path.Combine(Folder, "cni", "10-test.conflist"), $$"""
            { "cniVersion": "0.4.0", "name": "kata-test", "plugins": [ { "type": "bridge", "bridge": "kt0", "isGateway": true,
              "ipam": { "type": "host-local", "dataDir": "{{Folder}}/leases",
                "ranges": [[{ "subnet": "10.88.0.0/16" }]], "routes": [{ "dst": "0.0.0.0/0" }] } }{{ChainedPlugins}} ] }
            """);
        _handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        _channel = GrpcChannel.ForAddress(
            "http://localhost", new GrpcChannelOptions { HttpHandler = _handler, MaxReceiveMessageSize = null });
        Client = new RuntimeService.RuntimeServiceClient(_channel);
        await base.PrepareAsync();
    }

    private protected override async Task ReadyAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await Client.ListPodSandboxAsync(new ListPodSandboxRequest(), cancellationToken: cancellationToken);
                return;
            }
            catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled) // it is looking after the pods that it finds
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            }
        }
    }

    private protected override async Task ReleaseAsync()
    {
        foreach (PodSandbox pod in (await Client.ListPodSandboxAsync(new ListPodSandboxRequest(), deadline: DateTime.UtcNow + Limit)).Items)
        {
            await Client.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = pod.Id }, deadline: DateTime.UtcNow + Limit);
            await Client.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = pod.Id }, deadline: DateTime.UtcNow + Limit);
        }

        _channel?.Dispose();
        _handler?.Dispose();
    }
}
