using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Configuration;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Shim;

/// <summary>Finds or starts the service of the pod that a bundle's container belongs to.</summary>
internal sealed class ShimStart(ShimOptions options)
{
    /// <summary>The bootstrap protocol in which an answer is a JSON document; before it, the address alone.</summary>
    private const int DocumentVersion = 3;

    /// <summary>A path and some names; a configuration's body, which newer versions may hold, is not read.</summary>
    private const int OptionsLimit = 64 * 1024;

    private readonly SandboxDirectories _directories = ShimPaths.Directories(options.Namespace);
    private readonly string _bundle = Path.GetFullPath(options.Bundle.Length > 0 ? options.Bundle : ".");

    // A bundle without a specification is what containerd gives a pod of its Sandbox service. A person at a terminal has forgotten it.
    private bool _isPod;
    private RuntimeSpec? _spec; // of a container

    /// <summary>What containerd reads from standard output: the address, in the form that it knows.</summary>
    public async Task<string> RunAsync()
    {
        ContainerId id = ContainerId.Parse(options.Id);
        _isPod = !Terminal.IsTerminal(new SafeFileDescriptor(0, ownsHandle: false))
            && Directory.Exists(_bundle) && !File.Exists(Path.Combine(_bundle, Bundle.ConfigFileName));
        _spec = _isPod ? null : Bundle.Load(_bundle).Spec;
        (SandboxId sandbox, bool first) = _spec is null ? (SandboxId.Of(id), true) : PodOf(id, _spec);
        string socket = ShimPaths.Socket(options, sandbox);
        var index = new ContainerIndex(_directories);
        if (!first && !IsServed(socket))
        {
            throw SandboxStateException.NotFound("create the container in the pod", "the pod", sandbox.Value);
        }

        if (!index.TryClaim(id, sandbox))
        {
            throw SandboxStateException.AlreadyExists("create the container", "a container", id.Value);
        }

        ContainerClaim? claim = index.Stamp(id);
        try
        {
            if (first)
            {
                await StartServiceAsync(sandbox, socket, () => claim is not null && index.Stamp(id) == claim);
            }
            else
            {
                await WriteFilesAsync(sandbox, socket);
            }

            return Answer(AddressOf(socket));
        }
        catch
        {
            if (index.Stamp(id) == claim)
            {
                index.Release(id);
            }

            throw;
        }
    }

    internal static string Answer(string address, string? newestVersion) =>
        int.TryParse(newestVersion, NumberStyles.None, CultureInfo.InvariantCulture, out int newest) && newest >= DocumentVersion
            ? JsonSerializer.Serialize(new BootstrapAnswer(DocumentVersion, address, "ttrpc"), ShimJsonContext.Default.BootstrapAnswer)
            : address;

    private static string Answer(string address) => Answer(address, Environment.GetEnvironmentVariable("MAX_SHIM_VERSION"));

    private static string AddressOf(string socket) => $"unix://{socket}";

    // The pod that a bundle's container belongs to, and whether the container is its first.
    private (SandboxId Sandbox, bool First) PodOf(ContainerId id, RuntimeSpec spec)
    {
        var membership = new PodMembership(_directories);
        PodIdentity pod = membership.Of(spec);
        return pod.Kind == PodKind.PodContainer ? (pod.SandboxId!.Value, false) : (membership.PodOf(id), true);
    }

    private async Task WriteFilesAsync(SandboxId sandbox, string socket)
    {
        await File.WriteAllTextAsync(Path.Combine(_bundle, ShimPaths.AddressFile), AddressOf(socket));
        int pid = new SandboxRecovery(_directories).ServiceOf(sandbox)?.Pid ?? 0;
        await File.WriteAllTextAsync(Path.Combine(_bundle, ShimPaths.PidFile), pid.ToString(CultureInfo.InvariantCulture));
    }

    private static bool IsServed(string socket)
    {
        try
        {
            UnixSocket.Connect(socket).Dispose();
            return true;
        }
        catch (LinuxException error) when (error.Errno is Errno.ENOENT or Errno.ECONNREFUSED)
        {
            return false;
        }
    }

    private async Task StartServiceAsync(SandboxId sandbox, string socket, Func<bool> isClaimed)
    {
        Directory.CreateDirectory(
            Path.GetDirectoryName(socket)!,
            UnixFileMode.UserRead | UnixFileMode.UserWrite
            | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        OomScore.YieldToParent(); // and so does every shim to containerd
        string? configuration = ConfigurationSources.ForHost(_isPod ? OptionsPath() : null).ExplicitPath;
        PodBeginning? claimed = await TryClaimAsync(sandbox, socket, configuration, isClaimed);
        // What the name still points to is a dead pod's: this one's directory does not exist yet, or making it fails.
        using PodBeginning beginning = claimed ?? await PodBeginning.MakeAsync(_directories, sandbox, isClaimed);
        try
        {
            if (claimed is null)
            {
                ScheduleApart();
                await beginning.StartServiceAsync(Arguments(sandbox, socket, configuration));
            }

            await WriteFilesAsync(sandbox, socket); // without them containerd would not find the service again: then it must not live
        }
        catch
        {
            await beginning.UndoAsync();
            throw;
        }
    }

    private ContainerdOptions Containerd(string socket) => new(
        options.Namespace, socket, options.Address, Environment.GetEnvironmentVariable("TTRPC_ADDRESS") ?? "",
        options.Address.Length > 0 ? options.PublishBinary : ""); // CRI-O names itself, and nothing to publish to

    // Of a container's pod the operator's configuration comes with the container: where that asks for another machine, one is made then.
    private async Task<PodBeginning?> TryClaimAsync(SandboxId sandbox, string socket, string? configuration, Func<bool> isClaimed)
    {
        if (IsToBeApart)
        {
            return null; // the machine that waits was not
        }

        KataConfiguration loaded = KataConfiguration.Load(ConfigurationSources.ForHost(configuration));
        RuntimeSpec spec = _spec ?? new RuntimeSpec { OciVersion = SupportedFeatures.OciVersionMax };
        loaded = ConfigurationAnnotations.Apply(loaded, spec.Annotations);
        if (loaded.Factory.CacheNumber == 0)
        {
            return null;
        }

        SandboxPlan plan = SandboxPlanner.Plan(sandbox, loaded, Drivers.Probe(loaded), spec, _directories.Cgroup(sandbox));
        return WarmMachines.Of(loaded, plan) is not { } machines ? null : await machines.TryClaimAsync(
            _directories, sandbox,
            WarmMachines.Complete(new ClaimRequest
            {
                Root = _directories.Root,
                Sandbox = sandbox.Value,
                Configuration = configuration,
                Log = Path.Combine(_bundle, ShimPaths.LogFile),
                Debug = options.Debug,
                Containerd = Containerd(socket),
            }),
            isClaimed);
    }

    private List<string> Arguments(SandboxId sandbox, string socket, string? configuration)
    {
        ContainerdOptions containerd = Containerd(socket);
        List<string> arguments =
        [
            "--root", _directories.Root, "--sandbox", sandbox.Value, "--log", Path.Combine(_bundle, ShimPaths.LogFile),
            "--containerd-socket", containerd.Socket, "--containerd-namespace", containerd.Namespace,
            "--containerd-address", containerd.Address, "--containerd-events", containerd.EventsAddress,
            "--containerd-publisher", containerd.Publisher,
        ];
        if (configuration is not null)
        {
            arguments.AddRange(["--kata-config", configuration]);
        }

        if (options.Debug)
        {
            arguments.Add("--debug");
        }

        return arguments;
    }

    // containerd writes what the operator gave this runtime to our input, and closes it.
    private static string? OptionsPath()
    {
        using Stream input = Console.OpenStandardInput();
        var text = new byte[OptionsLimit];
        int length = input.ReadAtLeast(text, OptionsLimit, throwOnEndOfStream: false);
        try
        {
            return RuntimeOptions.ConfigPathOf(Any.Parser.ParseFrom(text, 0, length));
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new ArgumentException(
                "Cannot start the pod: the runtime options on standard input are no message of containerd's: "
                + $"{error.Message} Start it by containerd",
                error);
        }
    }

    // containerd asks for it where the operator did: the pod's threads then share a core with nobody else's (prctl(2), PR_SCHED_CORE).
    private static bool IsToBeApart => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("SCHED_CORE"));

    private static void ScheduleApart()
    {
        if (IsToBeApart)
        {
            LinuxException.ThrowIfNegative(
                LibC.CreateCoreCookie(), "prctl(PR_SCHED_CORE)", "give the pod cores of its own (containerd's SCHED_CORE)");
        }
    }
}
