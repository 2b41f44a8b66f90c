using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.Events;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using static Kata.Service.ServiceStatus;

namespace Kata.Service;

internal sealed partial class TaskService
{
    /// <summary>Request metadata by which the command line's <c>delete --force</c> reaches Delete, which has no field for it.</summary>
    public const string ForceHeader = "kata-force";

    /// <summary>Request metadata by which <c>exec --user</c> passes a name on: the specification's process has numbers only.</summary>
    public const string UserHeader = "kata-user";

    /// <summary>Request metadata by which the command line tells its own limits, see <see cref="ResourceLimits"/>.</summary>
    public const string LimitsHeader = "kata-limits";

    /// <summary>Request metadata by which a create asks for a socket for notifications: its caller has one, and so will the start's.</summary>
    public const string NotifyHeader = "kata-notify";

    private readonly ConcurrentDictionary<(string Container, string ExecId), StandInSession> _execStandIns = new();

    public override Task<Empty> Exec(ExecProcessRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        StandInSession? standIn = host.StandIns.Take(request.Id, request.ExecId);
        ProcessStdio? stdio = null;
        try
        {
            Container container = Find(request.Id, "execute in");
            ContainerId.CheckExec(request.ExecId);
            // Engines copy the container's process: whether this one has a terminal only the request says, as with runc.
            ProcessSpec process = OciJson.ParseProcess(OciDocument.Read(request.Spec, "Process")) with { Terminal = request.Terminal };
            if (standIn?.Hello is { Rows: > 0, Columns: > 0 } terminal)
            {
                process = process with { ConsoleSize = new ConsoleSize { Height = terminal.Rows, Width = terminal.Columns } }; // from its first moment on
            }

            var spec = new ExecSpec(process, context.RequestHeaders.Get(UserHeader)?.Value, LimitsOf(context), standIn?.Hello.PlainNewlines ?? false);
            stdio = await OpenStdioAsync(standIn, request.Id, new StdioNames(request.Stdin, request.Stdout, request.Stderr, request.Terminal), context.CancellationToken);
            await container.AddExecAsync(
                request.ExecId, spec, stdio, standIn?.Pid ?? System.Environment.ProcessId, context.RequestHeaders.Get(IgnorePausedHeader) is not null,
                context.CancellationToken);
        }
        catch
        {
            await AbandonAsync(standIn, stdio);
            throw;
        }

        if (standIn is not null)
        {
            _execStandIns[(request.Id, request.ExecId)] = standIn;
        }

        host.Events.Publish("/tasks/exec-added", new TaskExecAdded { ContainerId = request.Id, ExecId = request.ExecId });
        return new Empty();
    });

    public override Task<Empty> ResizePty(ResizePtyRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        // Clients resize whatever they attach to. What has no terminal, or none yet, has no size.
        Container container = Find(request.Id, "resize");
        ExecProcess? exec = request.ExecId.Length == 0 ? null : container.FindExec(request.ExecId, "resize");
        if (exec is null ? container.Plan.Terminal : exec is { Started: true, Spec.Process.Terminal: true })
        {
            await (exec?.Process ?? container.Init).ResizeAsync(request.Height, request.Width, context.CancellationToken);
        }

        return new Empty();
    });

    public override Task<Empty> CloseIO(CloseIORequest request, ServerCallContext context) => RunAsync(async () =>
    {
        if (request.Stdin)
        {
            GuestProcess process = Process(request.Id, request.ExecId, "close the input of");
            if (!process.ReleaseInput())
            {
                await process.CloseInputAsync(context.CancellationToken);
            }
        }

        return new Empty();
    });

    // Those of containerd, which started us, unless another caller tells its own.
    private IReadOnlyList<ResourceLimit> LimitsOf(ServerCallContext context) =>
        context.RequestHeaders.Get(LimitsHeader) is { } told ? ResourceLimits.Parse(told.Value) : host.Limits;

    // Of a process that never came to be.
    private static async System.Threading.Tasks.Task AbandonAsync(StandInSession? standIn, ProcessStdio? stdio)
    {
        if (standIn is not null)
        {
            await standIn.AbandonAsync(CancellationToken.None);
            await standIn.DisposeAsync();
        }
        else if (stdio is not null)
        {
            await stdio.DisposeAsync();
        }
    }

    // Of processes that were registered or described and never started, because their command was killed in between.
    private async System.Threading.Tasks.Task DropStandInsAsync(ContainerId id)
    {
        await host.StandIns.DropAsync(id.Value);
        foreach ((string Container, string ExecId) key in _execStandIns.Keys.Where(key => key.Container == id.Value))
        {
            await DropStandInAsync(key.Container, key.ExecId);
        }
    }

    private async System.Threading.Tasks.Task DropStandInAsync(string container, string execId)
    {
        if (_execStandIns.TryRemove((container, execId), out StandInSession? standIn))
        {
            await standIn.DisposeAsync();
        }
    }

    // The streams of a stand-in's caller, or those that containerd names. A logger starts in the pod's control group, which exists by now.
    private async Task<ProcessStdio> OpenStdioAsync(
        StandInSession? standIn, string container, StdioNames names, CancellationToken cancellationToken) =>
        standIn?.Stdio ?? await ContainerdStdio.OpenAsync(names, program => LoggerProcess.StartAsync(
            program, container, host.ContainerdNamespace, host.Environment.CallerMountNamespace, host.Environment.Time, cancellationToken));

    private GuestProcess Process(string id, string execId, string action)
    {
        Container container = Find(id, action);
        return execId.Length == 0 ? container.Init : container.FindExec(execId, action).Process;
    }

    private void TrackStandIn(
        StandInSession? standIn, GuestProcess process, System.Threading.Tasks.Task ended, Func<System.Threading.Tasks.Task>? afterwards = null)
    {
        if (standIn is not null)
        {
            host.Adopt(standIn);
            host.Track(ServeAsync(standIn, process, ended, afterwards)); // ends when the process or the stand-in does
        }
    }

    // The stand-in learns the exit last: its caller's next command must see the container as stopped.
    private async System.Threading.Tasks.Task ServeAsync(
        StandInSession standIn, GuestProcess process, System.Threading.Tasks.Task ended, Func<System.Threading.Tasks.Task>? afterwards)
    {
        await using (standIn)
        {
            if (standIn.Hello is { Terminal: true, Rows: > 0 } size)
            {
                try
                {
                    await process.ResizeAsync(size.Rows, size.Columns, host.Stopping);
                }
                catch (AgentException)
                {
                    // it has ended already
                }
            }

            await standIn.ServeAsync(process, ended, host.Stopping);
            await process.Exited;
        }

        host.Forget(standIn);

        if (afterwards is not null)
        {
            await afterwards();
        }
    }
}
