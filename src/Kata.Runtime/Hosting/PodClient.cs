using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.Subscriptions;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Sandbox;
using Kata.Service;
using Kata.TtRpc;
using Task = System.Threading.Tasks.Task;

namespace Kata.Runtime.Hosting;

/// <summary>One command's connection to the service of one pod: a thin client of the Task API.</summary>
internal sealed partial class PodClient : IAsyncDisposable
{
    /// <summary>
    /// OCI callers such as conmon have limits of their own; this one only keeps a service that answers
    /// and does nothing from hanging us for ever.
    /// </summary>
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromMinutes(2);

    /// <summary>A forced delete that takes longer is done without the service.</summary>
    private static readonly TimeSpan s_forceTimeout = TimeSpan.FromSeconds(45);

    /// <summary>From the answer to the last Delete until the service's process is gone.</summary>
    private static readonly TimeSpan s_exitTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A call that takes longer, and each further such time, makes us ask whether the service is still there.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>The service answers at once, whatever its guest does; a host that swaps needs seconds. With the patience: 10 s.</summary>
    private static readonly TimeSpan s_pingTimeout = TimeSpan.FromSeconds(8);

    private readonly TtRpcClient _client;
    private readonly Containerd.Protocol.TaskV2.Task.TaskClient _tasks;
    private readonly Events.EventsClient _events;
    private readonly Sandbox.Protocol.V1.Sandbox.SandboxClient _pod;
    private readonly PolledDescriptor? _process;
    private readonly int _pid;
    private readonly TimeProvider _time;

    private PodClient(TtRpcClient client, int pid, PolledDescriptor? process, TimeProvider time)
    {
        (_client, _pid, _process, _time) = (client, pid, process, time);
        _tasks = new Containerd.Protocol.TaskV2.Task.TaskClient(client.CallInvoker);
        _events = new Events.EventsClient(client.CallInvoker);
        _pod = new Sandbox.Protocol.V1.Sandbox.SandboxClient(client.CallInvoker);
    }

    /// <exception cref="LinuxException">ENOENT, ECONNREFUSED: there is no service. EAGAIN: it has long not taken a connection.</exception>
    public static PodClient Connect(SandboxDirectories directories, SandboxId sandbox, TimeProvider? time = null)
    {
        SafeFileDescriptor socket = UnixSocket.Connect(directories.TaskSocket(sandbox));
        int pid = UnixSocket.PeerCredentials(socket).pid; // of whoever called listen(2)
        SafeFileDescriptor process = LibC.pidfd_open(pid);
        return new PodClient(
            new TtRpcClient(new DescriptorStream(socket)),
            pid,
            process.IsInvalid ? null : new PolledDescriptor(process),
            time ?? TimeProvider.System);
    }

    /// <summary>Fails when the service does not answer. For a caller that is about to wait for it by other means than a call.</summary>
    public async Task CheckAliveAsync(string action, ContainerId id)
    {
        using AsyncUnaryCall<ConnectResponse> call = _tasks.ConnectAsync(new ConnectRequest(), Options());
        await AwaitAsync(call, action, id);
    }

    /// <param name="id">The container.</param>
    /// <param name="bundle">Its bundle's directory.</param>
    /// <param name="terminal">Whether its process has a terminal.</param>
    /// <param name="hooks">What its hooks may take beyond; null when nothing limits them.</param>
    public async Task<int> CreateAsync(ContainerId id, string bundle, bool terminal, TimeSpan? hooks)
    {
        Metadata headers = OfCaller();
        if (ReadinessReport.IsAskedFor)
        {
            headers.Add(TaskHeaders.Notify, "true");
        }

        using AsyncUnaryCall<CreateTaskResponse> call = _tasks.CreateAsync(
            new CreateTaskRequest { Id = id.Value, Bundle = bundle, Terminal = terminal },
            Options(s_callTimeout, hooks).WithHeaders(headers));
        return (int)(await AwaitAsync(call, "create the container", id)).Pid;
    }

    /// <param name="id">The container.</param>
    /// <param name="longer">What it may take beyond the usual: hooks, or until a paused container goes on; null without limit.</param>
    /// <param name="execId">Empty for its first process.</param>
    public async Task StartAsync(ContainerId id, TimeSpan? longer, string execId = "")
    {
        using AsyncUnaryCall<StartResponse> call = _tasks.StartAsync(
            new StartRequest { Id = id.Value, ExecId = execId }, Options(s_callTimeout, longer));
        await AwaitAsync(call, "start the container", id);
    }

    /// <param name="id">The container.</param>
    /// <param name="execId">A name for the process.</param>
    /// <param name="wanted">What to execute.</param>
    /// <param name="ignorePaused">Also in a paused container; <see cref="StartAsync"/> then waits, without limit, until it goes on.</param>
    public async Task ExecAsync(ContainerId id, string execId, ExecRequest wanted, bool ignorePaused)
    {
        var request = new Containerd.Protocol.TaskV2.ExecProcessRequest
        {
            Id = id.Value,
            ExecId = execId,
            Terminal = wanted.Process.Terminal ?? false,
            Spec = new Any
            {
                TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Process",
                Value = UnsafeByteOperations.UnsafeWrap(OciJson.Write(wanted.Process)),
            },
        };
        Metadata headers = OfCaller();
        if (ignorePaused)
        {
            headers.Add(TaskHeaders.IgnorePaused, "true");
        }

        if (wanted.UserName is { } user)
        {
            headers.Add(TaskHeaders.User, user);
        }

        using AsyncUnaryCall<Empty> call = _tasks.ExecAsync(request, Options().WithHeaders(headers));
        await AwaitAsync(call, "execute in the container", id);
    }

    public async Task<StateResponse> StateAsync(ContainerId id)
    {
        using AsyncUnaryCall<StateResponse> call = _tasks.StateAsync(new StateRequest { Id = id.Value }, Options());
        return await AwaitAsync(call, "query the container", id);
    }

    public async Task KillAsync(ContainerId id, uint signal, bool all)
    {
        using AsyncUnaryCall<Empty> call = _tasks.KillAsync(new KillRequest { Id = id.Value, Signal = signal, All = all }, Options());
        await AwaitAsync(call, "signal the container", id);
    }

    /// <summary>Deletes a container. When it was the pod's last, returns after the service's process has ended.</summary>
    /// <param name="id">The container.</param>
    /// <param name="force">Also one that has not ended.</param>
    /// <param name="hooks">What its hooks may take beyond; null when nothing limits them.</param>
    /// <param name="podIsGone">Whether it was the last.</param>
    public async Task DeleteAsync(ContainerId id, bool force, TimeSpan? hooks, Func<bool> podIsGone)
    {
        var headers = new Metadata();
        if (force)
        {
            headers.Add(TaskHeaders.Force, "true");
        }

        using AsyncUnaryCall<DeleteResponse> call = _tasks.DeleteAsync(
            new DeleteRequest { Id = id.Value }, Options(force ? s_forceTimeout : s_callTimeout, hooks).WithHeaders(headers));
        await AwaitAsync(call, "delete the container", id);
        if (podIsGone())
        {
            await WaitForServiceExitAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _process?.Dispose();
    }

    /// <summary>The error about a service that lives and does not answer; <see cref="ContainerRemover"/> decides by its code.</summary>
    internal static RpcException Hung(string action, ContainerId id, int pid) => new(new Status(
        StatusCode.DeadlineExceeded,
        string.Create(
            CultureInfo.InvariantCulture,
            $"Cannot {action} '{id}': the pod's service (pid {pid}) does not answer. "
            + $"If it does not recover, remove the pod with 'kata-runtime delete --force {id}'")));

    /// <summary>Makes a call of <c>kata.sandbox.v1</c>.</summary>
    /// <param name="action">What it is for, for errors.</param>
    /// <param name="pod">The pod's id, for errors.</param>
    /// <param name="limit">How long it may take; null for the usual.</param>
    /// <param name="make">The call.</param>
    public async Task<T> AskAsync<T>(
        string action, ContainerId pod, TimeSpan? limit,
        Func<Sandbox.Protocol.V1.Sandbox.SandboxClient, CallOptions, AsyncUnaryCall<T>> make)
    {
        using AsyncUnaryCall<T> call = make(_pod, Options(limit ?? s_callTimeout, TimeSpan.Zero));
        return await AwaitAsync(call, action, pod);
    }

    // What the transport says of a service that died or hangs means nothing to people; the code stays for whoever decides by it.
    private async Task<T> AwaitAsync<T>(AsyncUnaryCall<T> call, string action, ContainerId id)
    {
        try
        {
            await WatchAsync(call.ResponseAsync, action, id);
            return await call.ResponseAsync;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.Unavailable && _client.IsClosed)
        {
            throw Explained(error, action, id, "the pod's service has ended unexpectedly. Remove what is left with");
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.DeadlineExceeded
            && error.Status.Detail.Contains("deadline has passed", StringComparison.Ordinal))
        {
            throw Explained(error, action, id, "the pod's service did not answer in time. If it hangs, remove it with");
        }
    }

    // A guest may take a minute to boot, emulated, but the service itself answers at once or hangs: so time alone decides nothing.
    private async Task WatchAsync(Task response, string action, ContainerId id)
    {
        while (!await EndsWithinAsync(response, s_patience))
        {
            using AsyncUnaryCall<ConnectResponse> ping = _tasks.ConnectAsync(new ConnectRequest(), Options());
            if (!await EndsWithinAsync(Task.WhenAny(response, ping.ResponseAsync), s_pingTimeout))
            {
                throw Hung(action, id, _pid);
            }
        }
    }

    // Whether it has ended, in whatever way.
    private async Task<bool> EndsWithinAsync(Task task, TimeSpan limit)
    {
        using var over = new CancellationTokenSource();
        Task first = await Task.WhenAny(task, Task.Delay(limit, _time, over.Token));
        await over.CancelAsync();
        return first == task;
    }

    private static RpcException Explained(RpcException error, string action, ContainerId id, string cause) =>
        new(new Status(error.StatusCode, $"Cannot {action} '{id}': {cause} 'kata-runtime delete --force {id}'", error));

    // A process has its caller's limits, and the caller is whoever ran this command, not the pod's service.
    private static Metadata OfCaller() => new() { { TaskHeaders.Limits, ResourceLimits.Format(ResourceLimits.Read()) } };

    private static CallOptions Options() => Options(s_callTimeout, TimeSpan.Zero);

    private static CallOptions Options(TimeSpan limit, TimeSpan? longer) =>
        longer is { } more ? new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + limit + more) : new CallOptions();

    private async Task WaitForServiceExitAsync()
    {
        await _client.DisposeAsync(); // the service waits for us to have had our answer
        if (_process is not null)
        {
            await Task.WhenAny(_process.WaitReadableAsync(CancellationToken.None), Task.Delay(s_exitTimeout, TimeProvider.System));
        }
    }
}
