using System.Diagnostics;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Kata.Integration.Tests.Cri;

namespace Kata.Bench;

/// <summary>
/// How long a kubelet waits for a pod of one container to run, and for it to be gone, by containerd's CRI service: ours and
/// runc's in turns. The pods are in the host's network, so that no network plugin is measured.
/// </summary>
internal static class Cri
{
    private const string Namespace = "k8s.io"; // the CRI service knows no other

    private const string Configuration = $"""
        [plugins."io.containerd.grpc.v1.cri"]
        sandbox_image = "{Containerd.Image}"
        restrict_oom_score_adj = true
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
        runtime_type = "io.containerd.kata.v2"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
        runtime_type = "io.containerd.runc.v2"
        """;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    public static void Measure(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        if (!Containerd.IsInstalled || Directory.Exists($"/run/kata/@{Namespace}"))
        {
            Console.Error.WriteLine("bench: CRI is not measured: containerd is missing, or there are pods of Kubernetes on this machine");
            return;
        }

        using var containerd = new Containerd(workspace, Namespace, Configuration);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(containerd.Socket), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        var client = new RuntimeService.RuntimeServiceClient(channel);
        AwaitReady(client);

        string[] handlers = ["kata", "runc"];
        Dictionary<string, List<double>> start = new() { ["kata"] = [], ["runc"] = [] }, stop = new() { ["kata"] = [], ["runc"] = [] };
        for (int i = -1; i < runs; i++) // the first round warms caches
        {
            foreach (string name in handlers)
            {
                (double started, double stopped) = Live(client, workspace, name);
                if (i >= 0)
                {
                    start[name].Add(started);
                    stop[name].Add(stopped);
                }
            }
        }

        foreach ((string what, Dictionary<string, List<double>> times) in new[] { ("start", start), ("stop", stop) })
        {
            results[$"cri.pod_{what}.kata_s"] = Median.Of(times["kata"]);
            results[$"cri.pod_{what}.runc_s"] = Median.Of(times["runc"]);
            results[$"cri.pod_{what}.kata_per_runc"] = results[$"cri.pod_{what}.kata_s"] / results[$"cri.pod_{what}.runc_s"];
        }
    }

    // From the first call until the container runs, and from the first call to stop it until the pod is gone.
    private static (double Started, double Stopped) Live(RuntimeService.RuntimeServiceClient client, Workspace workspace, string handler)
    {
        string name = workspace.NewId();
        var options = new NamespaceOption { Network = NamespaceMode.Node, Pid = NamespaceMode.Container };
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = name, Uid = name, Namespace = "default" },
            Linux = new LinuxPodSandboxConfig { SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = options } },
        };
        var container = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = "main" },
            Image = new ImageSpec { Image = Containerd.Image },
            Command = { "sleep", "100000" },
            Linux = new LinuxContainerConfig
            {
                Resources = new LinuxContainerResources(),
                SecurityContext = new LinuxContainerSecurityContext { NamespaceOptions = options },
            },
        };

        long begin = Stopwatch.GetTimestamp();
        var run = new RunPodSandboxRequest { Config = config, RuntimeHandler = handler };
        string pod = client.RunPodSandbox(run, deadline: Deadline()).PodSandboxId;
        var create = new CreateContainerRequest { PodSandboxId = pod, Config = container, SandboxConfig = config };
        string id = client.CreateContainer(create, deadline: Deadline()).ContainerId;
        client.StartContainer(new StartContainerRequest { ContainerId = id }, deadline: Deadline());
        double started = Stopwatch.GetElapsedTime(begin).TotalSeconds;

        begin = Stopwatch.GetTimestamp();
        client.StopContainer(new StopContainerRequest { ContainerId = id, Timeout = 0 }, deadline: Deadline());
        client.StopPodSandbox(new StopPodSandboxRequest { PodSandboxId = pod }, deadline: Deadline());
        client.RemovePodSandbox(new RemovePodSandboxRequest { PodSandboxId = pod }, deadline: Deadline());
        return (started, Stopwatch.GetElapsedTime(begin).TotalSeconds);
    }

    private static void AwaitReady(RuntimeService.RuntimeServiceClient client)
    {
        for (DateTime end = Deadline(); ; Thread.Sleep(100)) // it says by nothing else that it serves
        {
            try
            {
                client.ListPodSandbox(new ListPodSandboxRequest(), deadline: Deadline());
                return;
            }
            catch (RpcException) when (DateTime.UtcNow < end)
            {
            }
        }
    }

    private static DateTime Deadline() => DateTime.UtcNow + s_limit;
}
