using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Containerd.Protocol.Events;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service;

internal sealed partial class TaskService
{
    /// <summary>Request metadata by which the command line's <c>delete --force</c> reaches Delete, which has no field for it.</summary>
    public const string ForceHeader = "kata-force";

    private readonly ConcurrentDictionary<(string Container, string ExecId), StandInSession> _execStandIns = new();

    public override Task<Empty> Exec(ExecProcessRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        Container container = Find(request.Id, "execute in");
        ProcessSpec spec = OciJson.ParseProcess((request.Spec ?? new Any()).Value.Span);
        StandInSession? standIn = host.StandIns.Take(request.Id, request.ExecId);
        try
        {
            await container.AddExecAsync(
                request.ExecId, spec, standIn?.Stdio ?? OpenPaths(request.Stdin, request.Stdout, request.Stderr, request.Terminal), standIn?.Pid ?? System.Environment.ProcessId,
                context.RequestHeaders.Get(IgnorePausedHeader) is not null, context.CancellationToken);
        }
        catch
        {
            if (standIn is not null)
            {
                await standIn.AbandonAsync(CancellationToken.None);
                await standIn.DisposeAsync();
            }

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
        await Process(request.Id, request.ExecId, "resize").ResizeAsync(request.Height, request.Width, context.CancellationToken);
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

    // Of processes that were registered or described and never started, because their command was killed in between.
    private async System.Threading.Tasks.Task DropStandInsAsync(ContainerId id)
    {
        await host.StandIns.DropAsync(id.Value);
        foreach ((string Container, string ExecId) key in _execStandIns.Keys.Where(key => key.Container == id.Value))
        {
            if (_execStandIns.TryRemove(key, out StandInSession? standIn))
            {
                await standIn.DisposeAsync();
            }
        }
    }

    private static ProcessStdio StdioOf(StandInSession? standIn, CreateTaskRequest request) =>
        standIn?.Stdio ?? OpenPaths(request.Stdin, request.Stdout, request.Stderr, request.Terminal);

    // Fifos of containerd. The outputs are opened for both directions, so that a reader may go and come again. A second descriptor keeps
    // the input open until CloseIO: its writer may go and come again too, and what it wrote before is read to the end.
    private static ProcessStdio OpenPaths(string input, string output, string error, bool terminal)
    {
        var opened = new List<DescriptorStream?>();
        try
        {
            opened.Add(OpenFifo(input, LibC.O_RDONLY));
            SafeFileDescriptor? keeper = input.Length == 0 ? null : OpenPath(input, LibC.O_WRONLY);
            opened.Add(OpenFifo(output, LibC.O_RDWR));
            opened.Add(terminal ? null : OpenFifo(error, LibC.O_RDWR));
            return new ProcessStdio { Input = opened[0], Output = opened[1], Error = opened[2], InputKeeper = keeper };
        }
        catch
        {
            opened.ForEach(static stream => stream?.Dispose());
            throw;
        }
    }

    private static DescriptorStream? OpenFifo(string path, int access) => path.Length == 0 ? null : new DescriptorStream(OpenPath(path, access));

    private static SafeFileDescriptor OpenPath(string path, int access) => LinuxException.ThrowIfInvalid(
        LibC.open(path, access | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0), "open", $"open the stream '{path}'");

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
