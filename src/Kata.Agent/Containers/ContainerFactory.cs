using Kata.Agent.Cgroups;
using Kata.Agent.Processes;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Specifications;
using Kata.Agent.Storage;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Containers;

/// <summary>Makes containers and further processes in them, and takes containers apart.</summary>
internal sealed class ContainerFactory(
    ContainerTable table, Sandbox sandbox, StorageDrivers drivers, Reaper reaper, OomWatcher oom, ILogger logger)
{
    private const string BundleRoot = "/run/kata-containers/bundles";

    private readonly Crun _crun = new(reaper);
    private readonly ProcessLauncher _launcher = new(reaper);
    private readonly ProcessPreparation _preparation = new(logger);

    /// <summary>What containers have of the shared file system.</summary>
    public ContainerMounts Mounts { get; } = new();

    private ContainerCleaner Cleaner => new(Mounts, logger);

    /// <param name="request">What is asked for.</param>
    /// <param name="cancellationToken">Its caller has given up: nothing is left of it then.</param>
    /// <exception cref="Grpc.Core.RpcException">The request is wrong, or crun refused.</exception>
    public async Task CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        var id = ContainerId.Parse(request.ContainerId);
        Spec spec = request.OCI ?? throw AgentException.Invalid($"Cannot create the container '{id}': the request has no specification");
        if (request.Devices.Count > 0 || request.SharedMounts.Count > 0)
        {
            throw AgentException.Missing($"Cannot create the container '{id}': passed devices and shared mounts are not supported by this agent yet");
        }

        spec.Process ??= new Process();
        using var beginning = new Beginning(cancellationToken);
        table.Reserve(id, beginning);
        string directory = $"{BundleRoot}/{id}";
        var container = new Container(id, directory, new Cgroup($"/kata/{id}"))
        {
            RootPath = spec.Root?.Path ?? "",
            StartContainerHooks = StartContainerHooks.TakeFrom(spec, request.Extension),
            ProcessExtension = request.Extension?.Process,
            HasPoststartHooks = spec.Hooks is { Poststart.Count: > 0 },
            HasDeleteHooks = spec.Hooks is { Poststop.Count: > 0 },
        };
        try
        {
            Directory.CreateDirectory(directory);
            container.Notifications = ReceiverOf(request.Extension);
            foreach (Protocol.Storage storage in request.Storages)
            {
                container.Storages.Add(await drivers.AttachAsync(storage, beginning.Token));
            }

            Mounts.Enter(container, SharedPaths(spec));
            _preparation.Prepare(spec.Process, request.StringUser, request.Extension?.Process, ContainerFiles.Planned(spec));
            foreach ((string name, string value) in spec.Linux?.Sysctl ?? [])
            {
                if (NetworkSysctl.IsOne(name))
                {
                    NetworkSysctl.Set(name, value);
                }
            }

            var context = new SpecContext
            {
                CgroupPath = container.Cgroup.Path,
                SharedNamespaces = sandbox.SharedNamespaces,
                Extension = request.Extension,
                Namespaces = NamespacesOf(request.Extension),
                JoinPidNamespace = sandbox.SharesPidNamespace && (request.SandboxPidns || sandbox.SharedNamespaces.ContainsKey("pid")),
            };
            await File.WriteAllBytesAsync($"{directory}/config.json", SpecJson.Write(spec, context), beginning.Token);
            ContainerProcess init = await _launcher.LaunchAsync(
                new ProcessLaunch(spec.Process, id.Value, $"create the container '{id}'", $"{directory}/init", request.Extension?.Process),
                (pidFile, console) => ["create", $"--bundle={directory}", $"--pid-file={pidFile}", .. console, id.CrunName],
                beginning.Token,
                request.Extension is { } extension && extension.Namespaces.ContainsKey("time") ? TimeNamespace.Text(extension.TimeOffsets) : null);
            container.SetInit(init);
            ProcessScheduling.Apply(init.Pid, request.Extension?.Process);
            oom.Watch(id.Value, container.Cgroup);
            if (!table.TryAdd(container))
            {
                throw new OperationCanceledException(beginning.Token);
            }

            logger.ContainerCreated(id.Value, init.Pid);
        }
        catch
        {
            await Cleaner.RemoveAsync(container);
            table.Remove(id);
            throw;
        }
    }

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
                await RunCrunAsync(container, "start", ["start", container.Id.CrunName], cancellationToken);
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
            _preparation.Prepare(process, request.StringUser, request.Extension, ContainerFiles.Of(container.Init.Pid));
            await File.WriteAllBytesAsync(file, ProcessJson.Write(process, request.Extension), beginning.Token);
            started = await _launcher.LaunchAsync(
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

    /// <summary>Kills what lives in it, waits for the end and removes every trace.</summary>
    /// <param name="container">Nobody may use it afterwards.</param>
    /// <param name="limit">How long the killed processes may take; infinite for no limit.</param>
    /// <param name="cancellationToken">The caller does not wait any longer: it may ask again.</param>
    public async Task RemoveAsync(Container container, TimeSpan limit, CancellationToken cancellationToken)
    {
        await container.Turn.WaitAsync(cancellationToken);
        try
        {
            container.Cgroup.Kill();
            using var deadline = new CancellationTokenSource(limit);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            try
            {
                await container.Init.Exited.WaitAsync(both.Token);
                await container.Cgroup.WaitEventAsync("populated", "0", both.Token);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw AgentException.Of(
                    Grpc.Core.StatusCode.DeadlineExceeded, $"Cannot remove the container '{container.Id}': its processes still live {limit.TotalSeconds:0} s after SIGKILL");
            }

            if (container.HasDeleteHooks)
            {
                await RunCrunAsync(container, "remove", ["delete", "--force", container.Id.CrunName], cancellationToken);
            }

            await Cleaner.RemoveAsync(container);
            table.Remove(container.Id);
        }
        finally
        {
            container.Turn.Release();
        }
    }

    /// <summary>Applies new limits, all of them or none; what the request leaves out stays.</summary>
    /// <param name="container">The container.</param>
    /// <param name="resources">What crun has a name for; null for nothing.</param>
    /// <param name="files">The rest, by file of the cgroup.</param>
    /// <param name="cancellationToken">Its caller has given up: everything is as before then.</param>
    public async Task UpdateAsync(
        Container container, LinuxResources? resources, IReadOnlyDictionary<string, string> files, CancellationToken cancellationToken)
    {
        await container.Turn.WaitAsync(cancellationToken);
        try
        {
            var before = CgroupSnapshot.Take(container.Cgroup, files.Keys);
            try
            {
                await ApplyAsync(container, resources, files, cancellationToken);
            }
            catch
            {
                foreach (string file in before.Restore())
                {
                    logger.CleanupIncomplete(container.Id.Value, $"the limit '{file}' of an update that failed");
                }

                throw;
            }
        }
        finally
        {
            container.Turn.Release();
        }
    }

    private async Task ApplyAsync(
        Container container, LinuxResources? resources, IReadOnlyDictionary<string, string> files, CancellationToken cancellationToken)
    {
        if (resources is not null)
        {
            string file = $"{container.Directory}/resources.json";
            try
            {
                await File.WriteAllBytesAsync(file, ResourcesJson.Write(resources), cancellationToken);
                await RunCrunAsync(container, "update", ["update", $"--resources={file}", container.Id.CrunName], cancellationToken);
            }
            finally
            {
                File.Delete(file);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        foreach ((string file, string value) in files)
        {
            container.Cgroup.WriteLimit(file, value);
        }
    }

    // One at a time: its caller has the container's turn.
    private async Task RunCrunAsync(Container container, string verb, string[] arguments, CancellationToken cancellationToken)
    {
        string log = container.NewFile(verb);
        try
        {
            await _crun.RunAsync(arguments, new Dictionary<int, SafeFileDescriptor>(), log, "", $"{verb} the container '{container.Id}'", cancellationToken);
        }
        finally
        {
            File.Delete(log);
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

    // Whose namespace is joined must live: a stopped container has none.
    private Dictionary<string, string> NamespacesOf(ContainerExtension? extension)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string type, string owner) in extension?.Namespaces ?? [])
        {
            if (type == "time")
            {
                continue; // not crun's to make: see TimeNamespace
            }

            if (owner.Length == 0)
            {
                result[type] = "";
                continue;
            }

            if (owner == sandbox.Id && table.All.All(item => item.Id.Value != owner))
            {
                result[type] = sandbox.SharedNamespaces.GetValueOrDefault(type) ?? throw AgentException.Invalid(
                    $"Cannot join the {type} namespace of the pod: its containers do not share one");
                continue;
            }

            Container container = table.Get(owner);
            result[type] = container.Init.Exited.IsCompleted
                ? throw AgentException.WrongState($"Cannot join the {type} namespace of the container '{container.Id}': it is stopped")
                : $"/proc/{container.Init.Pid}/ns/{type}";
        }

        return result;
    }

    // In a directory of its own, which the specification mounts.
    private static DatagramReceiver? ReceiverOf(ContainerExtension? extension)
    {
        if (extension?.NotifySocket is not { Length: > 0 } path)
        {
            return null;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new DatagramReceiver(path, FileModes.OpenToAll /* as runc's */);
    }

    private static string[] SharedPaths(Spec spec) =>
        [spec.Root?.Path ?? "", .. spec.Mounts.Where(static mount => mount.Type is "bind").Select(static mount => mount.Source)];
}
