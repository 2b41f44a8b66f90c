using System.Diagnostics.CodeAnalysis;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>The daemon that serves the shared directory to the guest, and what is shared by it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A step is undone, not disposed of")]
internal sealed class FileServerStep(
    FileShareDevice device, SandboxPlan plan, string directory, SharedDirectoryStep shared, TimeProvider time) : DeviceStep(device)
{
    private VirtioFsDaemon? _daemon;
    private SharedSources? _sources;

    public override string Name => "the file server";

    public override IReadOnlyList<Step> Needs => [shared];

    public override IDeviceBackend? Backend => _daemon;

    /// <summary>What the guest has of the host's files.</summary>
    public SharedSources Sources => _sources ?? throw new InvalidOperationException("There is no file server yet");

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        var options = new VirtioFsDaemonOptions
        {
            Path = plan.VirtioFsDaemonPath,
            SourceDirectory = shared.Directory.Path,
            SocketDirectory = directory,
            CacheMode = plan.VirtioFsCache,
            ExtraArguments = plan.VirtioFsExtraArguments,
            StopTimeout = plan.Timeouts.Stop,
        };
        VirtioFsDaemon daemon = await VirtioFsDaemon.StartAsync(options, time);
        _daemon = daemon;
        _sources = new SharedSources(shared.Directory, () => daemon.ProcessId, time);
    }

    public override void HandOver(DeviceDescriptors descriptors) => descriptors.Add(Device.Id, _daemon!.TakeClientSocket());

    public override async Task UndoAsync(CancellationToken cancellationToken)
    {
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(async () => await _sources!.DisposeAsync());
        await cleanUp.TryAsync(async () => await _daemon!.DisposeAsync());
        cleanUp.ThrowIfFailed();
    }
}
