using System.CommandLine;
using System.Globalization;
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

    /// <summary>Returns the stand-in to wait for when in the foreground, else null.</summary>
    public async Task<ForegroundProcess?> CreateAsync(CreateRequest request)
    {
        Bundle bundle = Bundle.Load(request.Bundle);
        bool terminal = bundle.Spec.Process?.Terminal ?? false;
        ConsoleRules.Check(terminal, request.ConsoleSocket, detached: !request.Foreground);
        PodIdentity pod = PodAnnotations.Identify(bundle.Spec.Annotations);
        bool first = pod.Kind != PodKind.PodContainer;
        SandboxId sandbox = first ? SandboxId.Of(request.Id) : pod.SandboxId!.Value;
        Check(request.Id, bundle, sandbox, first);

        var index = new ContainerIndex(_directories);
        if (!index.TryClaim(request.Id, sandbox))
        {
            throw SandboxStateException.AlreadyExists("create the container", "a container", request.Id.Value);
        }

        ChildProcess? service = null;
        try
        {
            if (first)
            {
                service = await StartServiceAsync(sandbox);
            }

            return await CreateInPodAsync(request, bundle, sandbox, terminal);
        }
        catch
        {
            await UndoAsync(request.Id, sandbox, first, service, index);
            throw;
        }
    }

    /// <summary>Whole or not at all: whoever reads the file must not see half a number.</summary>
    internal static async Task WritePidFileAsync(string path, int pid)
    {
        string temporary = $"{path}.{Environment.ProcessId}";
        await File.WriteAllTextAsync(temporary, pid.ToString(CultureInfo.InvariantCulture));
        File.Move(temporary, path, overwrite: true);
    }

    private async Task<ForegroundProcess?> CreateInPodAsync(CreateRequest request, Bundle bundle, SandboxId sandbox, bool terminal)
    {
        await using PodClient client = PodClient.Connect(_directories, sandbox);
        await using ProcessFront front = await ProcessFront.OpenAsync(
            _directories.StandInSocket(sandbox), request.Id, "", terminal, request.ConsoleSocket, request.Foreground);
        int pid = await client.CreateAsync(request.Id, bundle.Directory, terminal);
        if (request.PidFile is { } file)
        {
            await WritePidFileAsync(file, pid);
        }

        return front.Release();
    }

    // Plans are pure: made here for their refusals, before a process or a directory exists, and made again by the service.
    private void Check(ContainerId id, Bundle bundle, SandboxId sandbox, bool first)
    {
        KataConfiguration configuration = KataConfiguration.Load(globals.Sources(result));
        if (first)
        {
            configuration = ConfigurationAnnotations.Apply(configuration, bundle.Spec.Annotations);
            AcceleratorChoice host = AcceleratorProbe.Decide(VirtualizationFacts.Read());
            SandboxPlan plan = SandboxPlanner.Plan(sandbox, configuration, host, bundle.Spec);
            SandboxFiles.Check(plan);
            Warn(plan.Warnings);
        }
        else if (!Directory.Exists(_directories.Sandbox(sandbox)))
        {
            throw SandboxStateException.NotFound("create the container in the pod", "the pod", sandbox.Value);
        }

        Warn(ContainerPlanner.Plan(id, bundle, !configuration.Runtime.DisableGuestSeccomp, HostFileProbe.KindOf).Warnings);
    }

    // With a log the service writes them there; without one they would be lost.
    private void Warn(IReadOnlyList<string> warnings)
    {
        if (result.GetValue(globals.Log) is null)
        {
            foreach (string warning in warnings)
            {
                Console.Error.WriteLine($"kata-runtime: warning: {warning}");
            }
        }
    }

    private async Task<ChildProcess> StartServiceAsync(SandboxId sandbox)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        string directory = _directories.Sandbox(sandbox);
        Directory.CreateDirectory(_directories.Root, OwnerOnly);
        if (Directory.Exists(directory))
        {
            throw SandboxStateException.AlreadyExists("create the pod", "a pod", sandbox.Value);
        }

        Directory.CreateDirectory(directory, OwnerOnly);
        var arguments = new List<string> { "--root", _directories.Root, "--sandbox", sandbox.Value, "--log-format", result.GetValue(globals.LogFormat).ToString() };
        Add("--log", result.GetValue(globals.Log) is { } log ? Path.GetFullPath(log) : null);
        Add("--kata-config", globals.Sources(result).ExplicitPath);
        if (result.GetValue(globals.Debug))
        {
            arguments.Add("--debug");
        }

        return await Children.StartServiceAsync(arguments);

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                arguments.Add(name);
                arguments.Add(value);
            }
        }
    }

    private async Task UndoAsync(ContainerId id, SandboxId sandbox, bool first, ChildProcess? service, ContainerIndex index)
    {
        if (service is not null)
        {
            // A failed first Create makes the service undo everything and end. One that does not is ended.
            await Task.WhenAny(service.Exited, Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System));
            if (!service.Exited.IsCompleted)
            {
                service.Kill(Signals.SIGKILL);
                await service.Exited;
            }

            service.Dispose();
        }

        try
        {
            if (first)
            {
                await new SandboxRecovery(_directories).RemoveAsync(sandbox, CancellationToken.None);
            }
        }
        catch (LinuxException error)
        {
            await Console.Error.WriteLineAsync($"kata-runtime: warning: {error.Message}. Run 'kata-runtime delete --force {id}'");
        }
        finally
        {
            index.Release(id);
        }
    }
}
