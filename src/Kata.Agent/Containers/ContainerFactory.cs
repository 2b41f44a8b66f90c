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

/// <summary>Makes containers: their storages, their specification for crun, and their first process, which waits for its start.</summary>
internal sealed class ContainerFactory(
    ContainerTable table, StorageDrivers drivers, ContainerMounts mounts, SpecAmendments amendments, ProcessLauncher launcher,
    ContainerCleaner cleaner, OomWatcher oom, ILogger logger)
{
    private const string BundleRoot = "/run/kata-containers/bundles";

    /// <param name="request">What is asked for.</param>
    /// <param name="cancellationToken">Its caller has given up: nothing is left of it then.</param>
    /// <exception cref="Grpc.Core.RpcException">The request is wrong, or crun refused.</exception>
    public async Task CreateAsync(CreateContainerRequest request, CancellationToken cancellationToken)
    {
        var id = ContainerId.Parse(request.ContainerId);
        Spec spec = request.OCI ?? throw AgentException.Invalid($"Cannot create the container '{id}': the request has no specification");
        if (request.SharedMounts.Count > 0)
        {
            throw AgentException.Missing($"Cannot create the container '{id}': shared mounts are not supported by this agent yet");
        }

        spec.Process ??= new Process();
        using var beginning = new Beginning(cancellationToken);
        table.Reserve(id, beginning);
        var container = new Container(id, $"{BundleRoot}/{id}", new Cgroup($"/kata/{id}"))
        {
            RootPath = spec.Root?.Path ?? "",
            StartContainerHooks = StartContainerHooks.TakeFrom(spec, request.Extension),
            ProcessExtension = request.Extension?.Process,
            HasPoststartHooks = spec.Hooks is { Poststart.Count: > 0 },
            HasDeleteHooks = spec.Hooks is { Poststop.Count: > 0 },
        };
        try
        {
            await MakeAsync(container, request, spec, beginning.Token);
            oom.Watch(id.Value, container.Cgroup);
            if (!table.TryAdd(container))
            {
                throw new OperationCanceledException(beginning.Token);
            }

            logger.ContainerCreated(id.Value, container.Init.Pid);
        }
        catch
        {
            await cleaner.RemoveAsync(container);
            table.Remove(id);
            throw;
        }
    }

    private async Task MakeAsync(Container container, CreateContainerRequest request, Spec spec, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(container.Directory);
        container.Notifications = ReceiverOf(request.Extension);
        foreach (Protocol.Storage storage in request.Storages)
        {
            container.Storages.Add(await drivers.AttachAsync(storage, cancellationToken));
        }

        mounts.Enter(container, SharedPaths(spec));
        ContainerFiles.Planned(spec).MakeDeviceDirectory();
        SpecContext context = await amendments.AmendAsync(request, spec, container.Cgroup.Path, cancellationToken);
        await File.WriteAllBytesAsync($"{container.Directory}/config.json", SpecJson.Write(spec, context), cancellationToken);
        string id = container.Id.Value, crunName = container.Id.CrunName;
        string? offsets = request.Extension is { } own && own.Namespaces.ContainsKey("time") ? TimeNamespace.Text(own.TimeOffsets) : null;
        ContainerProcess init = await launcher.LaunchAsync(
            new ProcessLaunch(spec.Process, id, $"create the container '{id}'", $"{container.Directory}/init", request.Extension?.Process),
            (pidFile, console) => ["create", $"--bundle={container.Directory}", $"--pid-file={pidFile}", .. console, crunName],
            cancellationToken, offsets);
        if (offsets is not null)
        {
            string status = $"{Crun.StateRoot}/{crunName}/status";
            string stat = await File.ReadAllTextAsync($"/proc/{init.Pid}/stat", cancellationToken);
            string right = TimeNamespace.PutRight(await File.ReadAllTextAsync(status, cancellationToken), stat);
            await File.WriteAllTextAsync(status, right, cancellationToken);
        }

        container.SetInit(init);
        ProcessScheduling.Apply(init.Pid, request.Extension?.Process);
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
