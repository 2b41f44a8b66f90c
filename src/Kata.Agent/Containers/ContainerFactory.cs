using Kata.Agent.Cgroups;
using Kata.Agent.Processes;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Stdio;
using Kata.Agent.Storage;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Containers;

/// <summary>Makes containers and further processes in them, and takes containers apart.</summary>
internal sealed class ContainerFactory(ContainerTable table, Sandbox sandbox, Reaper reaper, OomWatcher oom, ILogger logger)
{
    private const string BundleRoot = "/run/kata-containers/bundles";

    private readonly Crun _crun = new(reaper);
    private readonly ProcessPreparation _preparation = new(logger);

    /// <summary>What containers have of the shared file system.</summary>
    public ContainerMounts Mounts { get; } = new();

    /// <exception cref="Grpc.Core.RpcException">The request is wrong, or crun refused.</exception>
    public async Task CreateAsync(CreateContainerRequest request)
    {
        var id = ContainerId.Parse(request.ContainerId);
        Spec spec = request.OCI ?? throw AgentException.Invalid($"Cannot create the container '{id}': the request has no specification");
        if (request.Devices.Count > 0 || request.SharedMounts.Count > 0)
        {
            throw AgentException.Missing($"Cannot create the container '{id}': passed devices and shared mounts are not supported by this agent yet");
        }

        spec.Process ??= new Process();
        table.Reserve(id);
        string directory = $"{BundleRoot}/{id}";
        var container = new Container(id, directory, new Cgroup($"/kata/{id}"))
        {
            RootPath = spec.Root?.Path ?? "",
            StartHooks = StartHooks.TakeFrom(spec, request.Extension),
            ProcessExtension = request.Extension?.Process,
            HasStartHooks = spec.Hooks is { Poststart.Count: > 0 },
            HasDeleteHooks = spec.Hooks is { Poststop.Count: > 0 },
        };
        try
        {
            Directory.CreateDirectory(directory);
            container.Notifications = ReceiverOf(request.Extension);
            foreach (Protocol.Storage storage in request.Storages)
            {
                if (StorageMounter.Mount(storage) is { } mounted)
                {
                    container.Mounts.Add(mounted);
                }
            }

            Mounts.Enter(container, SharedPaths(spec));
            _preparation.Prepare(spec.Process, request.StringUser, request.Extension?.Process, ContainerFiles.Planned(spec));
            foreach ((string name, string value) in spec.Linux?.Sysctl ?? [])
            {
                Sandbox.SetNetworkSysctl(name, value);
            }

            var context = new SpecContext
            {
                CgroupPath = container.Cgroup.Path,
                SharedNamespaces = sandbox.SharedNamespaces,
                Extension = request.Extension,
                Namespaces = NamespacesOf(request.Extension),
                JoinPidNamespace = sandbox.SharesPidNamespace && (request.SandboxPidns || sandbox.SharedNamespaces.ContainsKey("pid")),
            };
            await File.WriteAllBytesAsync($"{directory}/config.json", SpecJson.Write(spec, context));
            ContainerProcess init = await LaunchAsync(
                spec.Process, id.Value, directory, "init", $"create the container '{id}'",
                (pidFile, console) => ["create", $"--bundle={directory}", $"--pid-file={pidFile}", .. console, id.Value],
                request.Extension is { } extension && extension.Namespaces.ContainsKey("time") ? TimeNamespace.Text(extension.TimeOffsets) : null);
            container.SetInit(init);
            ProcessScheduling.Apply(init.Pid, request.Extension?.Process);
            oom.Watch(id.Value, container.Cgroup);
            table.Add(container);
            logger.ContainerCreated(id.Value, init.Pid);
        }
        catch
        {
            CleanUp(container);
            table.Remove(id);
            throw;
        }
    }

    /// <summary>Lets the first process run.</summary>
    public async Task StartAsync(Container container)
    {
        await container.Turn.WaitAsync();
        try
        {
            if (container.Started)
            {
                throw AgentException.WrongState($"Cannot start the container '{container.Id}': it was started already");
            }

            if (container.StartHooks is { } hooks)
            {
                await RunHooksAsync(container, hooks);
            }

            // What 'crun start' does is open this FIFO, remove it and write one byte: done here it saves a process start.
            if (container.HasStartHooks || !StartFifo.TryRelease($"{Crun.StateRoot}/{container.Id}/exec.fifo"))
            {
                await _crun.RunAsync(
                    ["start", container.Id.Value], new Dictionary<int, SafeFileDescriptor>(), $"{container.Directory}/start.log", "", $"start the container '{container.Id}'");
            }

            container.Started = true;
        }
        finally
        {
            container.Turn.Release();
        }
    }

    /// <summary>Starts a further process.</summary>
    public async Task ExecAsync(ExecProcessRequest request)
    {
        Container container = table.Get(request.ContainerId);
        string execId = ContainerId.ParseExec(request.ExecId);
        Process process = request.Process ?? throw AgentException.Invalid($"Cannot start the process '{execId}': the request has none");
        if (container.Init.Exited.IsCompleted)
        {
            throw AgentException.WrongState($"Cannot start the process '{execId}': the container '{container.Id}' is stopped");
        }

        container.Reserve(execId);
        ContainerProcess? started = null;
        try
        {
            _preparation.Prepare(process, request.StringUser, request.Extension, ContainerFiles.Of(container.Init.Pid));
            string file = $"{container.Directory}/{execId}.process.json";
            await File.WriteAllBytesAsync(file, SpecJson.Write(process, request.Extension));
            started = await LaunchAsync(
                process, execId, container.Directory, execId, $"start the process '{execId}'",
                (pidFile, console) => ["exec", "--detach", $"--pid-file={pidFile}", $"--process={file}", .. console, container.Id.Value],
                oomScore: (int)process.OOMScoreAdj);
            File.Delete(file);
            ApplyScheduling(started, request.Extension);
        }
        catch (Grpc.Core.RpcException error) when (CrunErrors.Shortage(
            error, container.Cgroup.Read("pids.max"), container.Cgroup.Read("pids.current"), $"start the process '{execId}'") is { } shortage)
        {
            throw shortage;
        }
        finally
        {
            container.Settle(execId, started);
        }
    }

    /// <summary>Kills what lives in it, waits for the end and removes every trace.</summary>
    /// <param name="container">Nobody may use it afterwards.</param>
    /// <param name="limit">How long the killed processes may take; infinite for no limit.</param>
    public async Task RemoveAsync(Container container, TimeSpan limit)
    {
        await container.Turn.WaitAsync();
        try
        {
            container.Cgroup.Kill();
            using var deadline = new CancellationTokenSource(limit);
            try
            {
                await container.Init.Exited.WaitAsync(deadline.Token);
                await container.Cgroup.WaitEventAsync("populated", "0", deadline.Token);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested)
            {
                throw AgentException.Of(
                    Grpc.Core.StatusCode.DeadlineExceeded, $"Cannot remove the container '{container.Id}': its processes still live {limit.TotalSeconds:0} s after SIGKILL");
            }

            if (container.HasDeleteHooks)
            {
                await _crun.RunAsync(
                    ["delete", "--force", container.Id.Value], new Dictionary<int, SafeFileDescriptor>(), $"{container.Directory}/delete.log", "", $"remove the container '{container.Id}'");
            }

            CleanUp(container);
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
    public async Task UpdateAsync(Container container, LinuxResources? resources, IReadOnlyDictionary<string, string> files)
    {
        await container.Turn.WaitAsync();
        try
        {
            var before = CgroupSnapshot.Take(container.Cgroup, files.Keys);
            try
            {
                await ApplyAsync(container, resources, files);
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

    private async Task ApplyAsync(Container container, LinuxResources? resources, IReadOnlyDictionary<string, string> files)
    {
        if (resources is not null)
        {
            string file = $"{container.Directory}/resources.json";
            await File.WriteAllBytesAsync(file, SpecJson.Write(resources));
            await _crun.RunAsync(
                ["update", $"--resources={file}", container.Id.Value], new Dictionary<int, SafeFileDescriptor>(), $"{container.Directory}/update.log", "", $"update the container '{container.Id}'");
        }

        foreach ((string file, string value) in files)
        {
            container.Cgroup.WriteLimit(file, value);
        }
    }

    private async Task<ContainerProcess> LaunchAsync(
        Process process, string execId, string directory, string prefix, string action, Func<string, string[], string[]> arguments,
        string? timeOffsets = null, int oomScore = 0)
    {
        string pidFile = $"{directory}/{prefix}.pid", log = $"{directory}/{prefix}.log";
        TerminalSize? size = process.ConsoleSize is { Height: > 0 and <= ushort.MaxValue, Width: > 0 and <= ushort.MaxValue } box
            ? new TerminalSize((ushort)box.Height, (ushort)box.Width) : null;
        ProcessStdio stdio = process.Terminal ? ProcessStdio.CreateTerminal(size) : ProcessStdio.CreatePipes();
        try
        {
            using ConsoleSocket? console = process.Terminal ? ConsoleSocket.Listen($"{directory}/{prefix}.sock") : null;
            string command = process.Args.Count > 0 ? process.Args[0] : "";
            string[] consoleArguments = console is null ? [] : [$"--console-socket={console.Path}"];
            long since = reaper.Now; // before crun, or an early exit of the process could be taken for an older one's
            await _crun.RunAsync(arguments(pidFile, consoleArguments), stdio.ChildDescriptors, log, command, action, timeOffsets, oomScore);
            int pid = Crun.ReadPid(pidFile);
            Task<ExitStatus> exited = reaper.Adopt(pid, since);
            stdio.ReleaseChildEnds();
            if (console is not null)
            {
                stdio.SetTerminal(await console.ReceiveAsync());
            }

            return new ContainerProcess(execId, pid, stdio, exited);
        }
        catch
        {
            stdio.Dispose();
            throw;
        }
        finally
        {
            File.Delete(pidFile);
            File.Delete(log);
        }
    }

    private static void ApplyScheduling(ContainerProcess process, ProcessExtension? extension)
    {
        try
        {
            ProcessScheduling.Apply(process.Pid, extension);
        }
        catch
        {
            process.Signal(Signals.SIGKILL); // the host hears that it never came to be
            throw;
        }
    }

    private async Task RunHooksAsync(Container container, StartHooks hooks)
    {
        try
        {
            await hooks.RunAsync(container, reaper, container.ProcessExtension);
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
        return new DatagramReceiver(path, 0x1ff /* 0777, as runc's */);
    }

    private static string[] SharedPaths(Spec spec) =>
        [spec.Root?.Path ?? "", .. spec.Mounts.Where(static mount => mount.Type is "bind").Select(static mount => mount.Source)];

    // Goes on after a failure: what is left behind is logged, and never hides why the container ended here.
    private void CleanUp(Container container)
    {
        container.Dispose();
        Attempt(container, () =>
        {
            container.Cgroup.Kill();
            container.Cgroup.Remove();
        });
        foreach (string mount in Mounts.Release(container))
        {
            logger.CleanupIncomplete(container.Id.Value, $"'{mount}' is still mounted");
        }

        if (container.Notifications is { } notifications)
        {
            Attempt(container, () => DeleteTree(Path.GetDirectoryName(notifications.Path)!));
        }

        Attempt(container, () => DeleteTree($"{Crun.StateRoot}/{container.Id}"));
        Attempt(container, () => DeleteTree(container.Directory));
    }

    private void Attempt(Container container, Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            logger.CleanupIncomplete(container.Id.Value, error.Message);
        }
    }

    private static void DeleteTree(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true); // never follows links
        }
    }
}
