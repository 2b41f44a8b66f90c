using Kata.Agent.Processes;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Specifications;

namespace Kata.Agent.Containers;

/// <summary>Has containers run: their first process, and further ones.</summary>
internal sealed class ContainerLauncher(
    ContainerTable table, ProcessLauncher launcher, ProcessPreparation preparation, Crun crun, Reaper reaper)
{
    /// <summary>Lets the first process run.</summary>
    public async Task StartAsync(Container container, CancellationToken cancellationToken)
    {
        await container.Turn.WaitAsync(cancellationToken);
        try
        {
            if (container.Started)
            {
                throw AgentException.WrongState($"Cannot start the container '{container.Id}': it was started already");
            }

            if (container.StartContainerHooks is { } hooks)
            {
                await RunHooksAsync(container, hooks, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested(); // the last moment: what runs is not taken back

            // What 'crun start' does is open this FIFO, remove it and write one byte: done here it saves a process start.
            if (container.HasPoststartHooks || !StartFifo.TryRelease($"{Crun.StateRoot}/{container.Id.CrunName}/exec.fifo"))
            {
                await crun.RunOnAsync(container, "start", ["start", container.Id.CrunName], cancellationToken);
            }

            container.Started = true;
        }
        finally
        {
            container.Turn.Release();
        }
    }

    /// <summary>Starts a further process.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="cancellationToken">Its caller has given up: the process does not run then.</param>
    public async Task ExecAsync(ExecProcessRequest request, CancellationToken cancellationToken)
    {
        Container container = table.Get(request.ContainerId);
        string execId = ContainerId.ParseExec(request.ExecId);
        Process process = request.Process ?? throw AgentException.Invalid($"Cannot start the process '{execId}': the request has none");
        if (container.Init.Exited.IsCompleted)
        {
            throw AgentException.WrongState($"Cannot start the process '{execId}': the container '{container.Id}' is stopped");
        }

        using var beginning = new Beginning(cancellationToken);
        container.Reserve(execId, beginning);
        string action = $"start the process '{execId}'", files = container.NewFile("exec"), file = $"{files}.json";
        ContainerProcess? started = null;
        bool kept = false;
        try
        {
            preparation.Prepare(process, request.StringUser, request.Extension, ContainerFiles.Of(container.Init.Pid));
            await File.WriteAllBytesAsync(file, ProcessJson.Write(process, request.Extension), beginning.Token);
            started = await launcher.LaunchAsync(
                new ProcessLaunch(process, execId, action, files, request.Extension) { OomScore = (int)process.OOMScoreAdj },
                (pidFile, console) => ["exec", "--detach", $"--pid-file={pidFile}", $"--process={file}", .. console, container.Id.CrunName],
                beginning.Token);
            ProcessScheduling.Apply(started.Pid, request.Extension);
        }
        catch (Grpc.Core.RpcException error) when (CrunErrors.Shortage(
            error, container.Cgroup.Read("pids.max"), container.Cgroup.Read("pids.current"), action) is { } shortage)
        {
            throw shortage;
        }
        catch
        {
            started?.Abandon(); // the host hears that it never came to be
            started = null;
            throw;
        }
        finally
        {
            File.Delete(file);
            kept = container.Settle(execId, started);
        }

        if (!kept)
        {
            started.Abandon();
            throw new OperationCanceledException(beginning.Token);
        }
    }

    private async Task RunHooksAsync(Container container, StartContainerHooks hooks, CancellationToken cancellationToken)
    {
        try
        {
            await hooks.RunAsync(container, reaper, container.ProcessExtension, cancellationToken);
        }
        catch
        {
            container.Cgroup.Kill(); // the specification: stop the container
            throw;
        }
    }
}
