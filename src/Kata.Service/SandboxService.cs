using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.SandboxV1;
using Kata.Containerd.Protocol.Types;
using Kata.Linux;
using Kata.Sandbox;
using static Kata.Service.ServiceStatus;
using RuntimeVersion = Kata.Sandbox.RuntimeVersion;
using Task = System.Threading.Tasks.Task;

namespace Kata.Service;

/// <summary>
/// containerd's Sandbox service: a pod as a thing of its own, which is there before its first container and after its last, and needs no
/// pause container. containerd asks for it where a runtime's configuration says <c>sandboxer = "shim"</c>.
/// <code>
/// CreateSandbox: read and plan    StartSandbox: boot    Task.Create ...
/// StopSandbox: containers and machine end    ShutdownSandbox: so do we
/// </code>
/// </summary>
internal sealed class SandboxService(PodHost host, PodLife life, ContainerRemoval removal)
    : Containerd.Protocol.SandboxV1.Sandbox.SandboxBase
{
    private const string Ready = "SANDBOX_READY"; // CRI's words
    private const string NotReady = "SANDBOX_NOTREADY";

    private const uint LostStatus = 255;

    private readonly bool _unifiedHost = CgroupLayout.Read().IsUnified;
    private readonly TaskCompletionSource<(uint Status, DateTimeOffset At)> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SandboxPlan? _plan; // as the two below written under the pod's gate
    private DateTimeOffset? _startedAt;
    private string? _failure;

    public override Task<CreateSandboxResponse> CreateSandbox(
        CreateSandboxRequest request, ServerCallContext context) => UnderGateAsync(request.SandboxId, "create", context, () =>
    {
        if (life.Held is not null || life.Pod is not null)
        {
            throw SandboxStateException.AlreadyExists("create the pod", "a pod", request.SandboxId);
        }

        if (request.Rootfs.Count > 0)
        {
            throw new ArgumentException(
                $"Cannot create the pod '{request.SandboxId}': a machine has a root file system already. Leave the mounts out");
        }

        PodSettings settings = CriPodSettings.Read(host.Sandbox, request.Options, request.Annotations);
        _plan = HostNetworking.Check(host.Plan(settings.ToSpec(), null), settings) with
        {
            SharedMemory = PodSettings.SharedMemoryIn(host.FilesDirectory),
            Files = settings.Files(
                host.FilesDirectory, HostFileProbe.Instance.HostName, HostText("/etc/hosts"), HostText("/etc/resolv.conf")),
            SharesPidNamespace = settings.SharesPidNamespace,
            NetworkNamespace = request.NetnsPath.Length > 0 ? request.NetnsPath : null,
        };
        life.Held = settings;
        return Task.FromResult(new CreateSandboxResponse());
    });

    public override Task<StartSandboxResponse> StartSandbox(
        StartSandboxRequest request, ServerCallContext context) => UnderGateAsync(request.SandboxId, "start", context, async () =>
    {
        if (life.Held is null)
        {
            throw SandboxStateException.WrongPodState("start", request.SandboxId, "it was not created", "Call CreateSandbox first");
        }

        if (_startedAt is not null || _exit.Task.IsCompleted)
        {
            throw SandboxStateException.WrongPodState("start", request.SandboxId, "it was started or stopped before", "Create another one");
        }

        PodSandbox pod = await host.BootAsync(_plan! with { Storages = life.Noted }, host.Stopping);
        life.Pod = pod;
        _startedAt = host.Time.GetUtcNow();
        host.Track(WatchAsync(pod)); // ends when the pod fails or the service ends
        host.Track(MemoryTrim.RunAsync(host.Time));
        return new StartSandboxResponse { Pid = ProcessId, CreatedAt = Timestamp.FromDateTimeOffset(_startedAt.Value) };
    });

    /// <summary>In Go's words, as containerd compares them.</summary>
    public override Task<PlatformResponse> Platform(PlatformRequest request, ServerCallContext context) =>
        RunAsync(() => Task.FromResult(new PlatformResponse
        {
            Platform = new Platform
            {
                Os = "linux",
                Architecture = RuntimeInformation.OSArchitecture switch
                {
                    Architecture.X64 => "amd64",
                    Architecture.Ppc64le => "ppc64le",
                    Architecture other => other.ToString().ToLowerInvariant(),
                },
            },
        }));

    /// <summary>Ends the containers that are left, and the machine. Doing it again is no error.</summary>
    public override Task<StopSandboxResponse> StopSandbox(
        StopSandboxRequest request, ServerCallContext context) => UnderGateAsync(request.SandboxId, "stop", context, async () =>
    {
        await StopAsync();
        return new StopSandboxResponse();
    });

    public override Task<WaitSandboxResponse> WaitSandbox(WaitSandboxRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Check(request.SandboxId, "wait for");
        (uint status, DateTimeOffset at) = await _exit.Task.WaitAsync(context.CancellationToken);
        return new WaitSandboxResponse { ExitStatus = status, ExitedAt = Timestamp.FromDateTimeOffset(at) };
    });

    public override Task<SandboxStatusResponse> SandboxStatus(
        SandboxStatusRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Check(request.SandboxId, "query");
        var response = new SandboxStatusResponse
        {
            SandboxId = request.SandboxId,
            Pid = ProcessId,
            State = life.Pod is { Failure: null } ? Ready : NotReady,
            CreatedAt = _startedAt is { } start ? Timestamp.FromDateTimeOffset(start) : null,
            ExitedAt = _exit.Task.IsCompleted ? Timestamp.FromDateTimeOffset((await _exit.Task).At) : null,
        };
        if (request.Verbose)
        {
            response.Info["version"] = RuntimeVersion.Text;
            if (life.Pod is { Failure: null } pod)
            {
                response.Info["hypervisorPid"] = pod.Machine.ProcessId.ToString(CultureInfo.InvariantCulture);
            }

            if (_failure is { } failure)
            {
                response.Info["failure"] = failure;
            }
        }

        return response;
    });

    public override Task<PingResponse> PingSandbox(PingRequest request, ServerCallContext context) => RunAsync(() =>
    {
        Check(request.SandboxId, "reach");
        return life.Pod is { Failure: null }
            ? Task.FromResult(new PingResponse())
            : throw SandboxStateException.WrongPodState(
                "reach", request.SandboxId, _failure ?? "it does not run", "Stop it, and start another one");
    });

    public override Task<ShutdownSandboxResponse> ShutdownSandbox(
        ShutdownSandboxRequest request, ServerCallContext context) => UnderGateAsync(request.SandboxId, "end", context, async () =>
    {
        if (!life.Ended.IsCompleted)
        {
            await StopAsync();
            await life.EndAsync();
        }

        return new ShutdownSandboxResponse();
    });

    /// <summary>What the pod costs on the host, machine and all.</summary>
    public override Task<SandboxMetricsResponse> SandboxMetrics(SandboxMetricsRequest request, ServerCallContext context) => RunAsync(() =>
    {
        Check(request.SandboxId, "read the figures of");
        return Task.FromResult(new SandboxMetricsResponse
        {
            Metrics = new Metric
            {
                Id = request.SandboxId,
                Timestamp = Timestamp.FromDateTimeOffset(host.Time.GetUtcNow()),
                Data = ContainerMetrics.Pack(host.Usage, _unifiedHost),
            },
        });
    });

    private static uint ProcessId => (uint)System.Environment.ProcessId;

    private async Task StopAsync()
    {
        try
        {
            await removal.DeleteAllAsync();
        }
        finally
        {
            await life.StopAsync(); // whatever a container said
        }

        _exit.TrySetResult((0, host.Time.GetUtcNow()));
    }

    private async Task WatchAsync(PodSandbox pod)
    {
        _failure = await pod.Failed.WaitAsync(host.Stopping);
        _exit.TrySetResult((LostStatus, host.Time.GetUtcNow()));
    }

    private static string HostText(string path) => File.Exists(path) ? File.ReadAllText(path) : "";

    private void Check(string id, string action)
    {
        if (id != host.Sandbox.Value)
        {
            throw SandboxStateException.NotFound($"{action} the pod", "it", id);
        }
    }

    private Task<T> UnderGateAsync<T>(string id, string action, ServerCallContext context, Func<Task<T>> work) => RunAsync(async () =>
    {
        Check(id, action);
        await life.Gate.WaitAsync(context.CancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            life.Gate.Release();
        }
    });
}
