using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>
/// Creates a container for <c>create</c> and <c>run</c>: checks everything, claims the id, starts the pod's service when the
/// container is the pod's first, lets a stand-in take over the caller's streams, and calls Create. Undone as a whole on failure.
/// </summary>
internal sealed class ContainerCreator(GlobalOptions globals, ParseResult result)
{
    private readonly SandboxDirectories _directories = globals.Directories(result);
    private WarmMachines? _warm; // the pool, where a pod may come from it
    private TimeSpan _guestLimit; // what the configuration allows the guest until the container is there

    /// <summary>Returns the stand-in to wait for when in the foreground, else null.</summary>
    public async Task<ForegroundProcess?> CreateAsync(CreateRequest request)
    {
        Bundle bundle = Bundle.Load(request.Bundle);
        var console = ConsoleRequest.Of(bundle.Spec.Process, request.ConsoleSocket, request.Console);
        ConsoleRules.Check(console, detached: !request.Foreground);
        var membership = new PodMembership(_directories);
        PodIdentity pod = membership.Of(bundle.Spec);
        bool first = pod.Kind != PodKind.PodContainer;
        SandboxId sandbox = pod.Kind switch
        {
            PodKind.PodContainer => pod.SandboxId!.Value,
            PodKind.SinglePod => membership.PodOf(request.Id),
            _ => SandboxId.Of(request.Id), // its containers will name it so
        };
        IReadOnlyList<ViewedMount> mounts;
        try
        {
            mounts = ViewedMount.Of(Check(request.Id, bundle, sandbox, first));
        }
        catch (InvalidSpecException error)
        {
            throw error.InBundle(bundle.Directory); // a planner knows the document and not where it lies
        }

        var index = new ContainerIndex(_directories);
        if (!index.TryClaim(request.Id, sandbox))
        {
            throw SandboxStateException.AlreadyExists("create the container", "a container", request.Id.Value);
        }

        ContainerClaim? claim = index.Stamp(request.Id);
        PodBeginning? beginning = null;
        try
        {
            if (first)
            {
                bool IsClaimed() => claim is not null && index.Stamp(request.Id) == claim;
                beginning = _warm is null ? null : await _warm.TryClaimAsync(
                    _directories, sandbox, ServiceArguments.ClaimOf(globals, result, _directories, sandbox), IsClaimed);
                if (beginning is null)
                {
                    beginning = await PodBeginning.MakeAsync(_directories, sandbox, IsClaimed);
                    await beginning.StartServiceAsync(ServiceArguments.Of(globals, result, _directories, sandbox));
                }
            }

            return await CreateInPodAsync(request, bundle, mounts, sandbox, console);
        }
        catch
        {
            await UndoAsync(request.Id, sandbox, first, beginning, () => index.Stamp(request.Id) == claim);
            throw;
        }
        finally
        {
            beginning?.Dispose();
        }
    }

    /// <summary>Whole or not at all: whoever reads the file must not see half a number.</summary>
    internal static async Task WritePidFileAsync(string path, int pid)
    {
        string temporary = $"{path}.{Environment.ProcessId}";
        try
        {
            await File.WriteAllTextAsync(temporary, pid.ToString(CultureInfo.InvariantCulture));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot write the pid file '{path}': {FileErrors.CauseOf(error)}. "
                + "Give --pid-file a path in a directory that exists and can be written");
        }
    }

    private async Task<ForegroundProcess?> CreateInPodAsync(
        CreateRequest request, Bundle bundle, IReadOnlyList<ViewedMount> mounts, SandboxId sandbox, ConsoleRequest console)
    {
        await using PodClient client = PodClient.Connect(_directories, sandbox);
        await client.CheckAliveAsync("create the container", request.Id); // a stand-in waits longer for its welcome
        await using ProcessFront front = await ProcessFront.OpenAsync(
            _directories.StandInSocket(sandbox), request.Id, "", bundle.RootfsPath, mounts, bundle.Spec.Hostname,
            PodNamespaces.NetworkOf(bundle.Spec), console, request.Foreground);
        int pid = await client.CreateAsync(
            request.Id, bundle.Directory, console.Terminal, HookRunner.LimitOf(bundle.Spec.Hooks) + _guestLimit);
        if (request.PidFile is { } file)
        {
            await WritePidFileAsync(file, pid);
        }

        return front.Release();
    }

    // Plans are pure: made here for their refusals, before a process or a directory exists, and made again by the service.
    private ContainerPlan Check(ContainerId id, Bundle bundle, SandboxId sandbox, bool first)
    {
        KataConfiguration configuration = KataConfiguration.Load(globals.Sources(result));
        _guestLimit = configuration.Limits.BootTimeout + configuration.Agent.DialTimeout + configuration.Runtime.CreateContainerTimeout;
        if (first)
        {
            configuration = ConfigurationAnnotations.Apply(configuration, bundle.Spec.Annotations);
            AcceleratorChoice host = Drivers.Probe(configuration);
            SandboxPlan plan = DirectNetworkFile.Apply(
                SandboxPlanner.Plan(sandbox, configuration, host, bundle.Spec, _directories.Cgroup(sandbox)),
                configuration.Runtime.DirectNetworkDirectory);
            SandboxFiles.Check(plan);
            _warm = WarmMachines.Of(configuration, plan);
            Warn(SandboxPlanner.Within(plan, bundle.Spec, static path => CgroupBounds.Read(CgroupLayout.Read(), path)).Warnings);
        }
        else if (!Directory.Exists(_directories.Sandbox(sandbox)))
        {
            throw SandboxStateException.NotFound("create the container in the pod", "the pod", sandbox.Value);
        }

        ContainerPlan container = ContainerPlanner.Plan(
            id, bundle, !configuration.Runtime.DisableGuestSeccomp, HostFileProbe.Instance,
            space => first ? null : OwnerOf(sandbox, space), isGuestPath: path => !first && IsOnStorage(sandbox, path));
        Warn(container.Warnings);
        return container;
    }

    private bool IsOnStorage(SandboxId sandbox, string path) =>
        SandboxStateStore.Read(_directories.StateFile(sandbox))?.Storages.Any(storage => storage.Holds(path)) ?? false;

    // Whose a file that holds a namespace is only the service knows, and says it before anything is made.
    private ContainerId? OwnerOf(SandboxId sandbox, LinuxNamespace space)
    {
        if (PodNamespaces.ProcessOf(space) is not { } pid)
        {
            return HostFileProbe.Instance.NamespaceAt(space.Path!) is null ? null : ContainerId.Parse(sandbox.Value);
        }

        SandboxState? state = SandboxStateStore.Read(_directories.StateFile(sandbox));
        return state?.Containers.FirstOrDefault(container => container.Pid == pid) is { } found ? ContainerId.Parse(found.Id)
            : state?.Service.Pid == pid ? ContainerId.Parse(sandbox.Value)
            : null;
    }

    // The service writes them to the log and the journal. Our standard error is the container's, which programs compare and engines keep:
    // only a person at a terminal is told.
    private void Warn(IReadOnlyList<string> warnings)
    {
        using var error = new SafeFileDescriptor(2, ownsHandle: false);
        if (result.GetValue(globals.Log) is null && Terminal.IsTerminal(error))
        {
            foreach (string warning in warnings)
            {
                Console.Error.WriteLine($"kata-runtime: warning: {warning}");
            }
        }
    }

    // Only what this command made is taken back: the pod when it made it, and the id while the claim is still its own.
    private async Task UndoAsync(ContainerId id, SandboxId sandbox, bool first, PodBeginning? beginning, Func<bool> isOurClaim)
    {
        try
        {
            if (beginning is not null)
            {
                await beginning.UndoAsync(() => new PodMembership(_directories).HasOthers(sandbox, id));
            }
            else if (!first && isOurClaim())
            {
                await new ContainerRemover(_directories).RemoveAsync(id, force: true); // the pod is another's and goes on
            }
        }
        catch (Exception error) when (error is LinuxException or IOException or TimeoutException or RpcException or SandboxStateException)
        {
            await Console.Error.WriteLineAsync($"kata-runtime: warning: {ExitCodes.TextOf(error)}. Run 'kata-runtime delete --force {id}'");
            return;
        }

        if (isOurClaim())
        {
            new ContainerIndex(_directories).Release(id);
        }
    }
}
