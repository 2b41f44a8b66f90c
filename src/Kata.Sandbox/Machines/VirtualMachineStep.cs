using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>The virtual machine itself, started with its devices.</summary>
internal sealed class VirtualMachineStep(
    SandboxPlan plan, SandboxEnvironment environment, string directory, IReadOnlyList<DeviceStep> own,
    IReadOnlyList<DeviceStep> pods) : Step
{
    /// <summary>Until a backend that is dead already is reaped and its messages are read.</summary>
    private static readonly TimeSpan s_lastWordsTimeout = TimeSpan.FromMilliseconds(500);

    private IVirtualMachine? _machine;

    public override string Name => "the virtual machine";

    public override IReadOnlyList<Step> Needs => own;

    public IVirtualMachine Machine => _machine ?? throw new InvalidOperationException("The virtual machine is not started");

    /// <summary>The processes that its devices live from.</summary>
    public IReadOnlyList<IDeviceBackend> Backends => [.. own.Concat(pods).Select(static step => step.Backend).OfType<IDeviceBackend>()];

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        var resources = new MachineResources { RuntimeDirectory = directory, ConsoleLogPath = environment.Directories.ConsoleLog(plan.Id) };
        foreach (DeviceStep step in own.Concat(pods))
        {
            step.HandOver(resources.Descriptors);
        }

        MachineConfig config = plan.Machine with { Devices = [.. plan.Machine.Devices, .. pods.Select(static step => step.Device)] };
        IVirtualMachine machine = await environment.Hypervisor.CreateAsync(config, resources, cancellationToken);
        machine.Console.LineReceived += environment.Log.ConsoleLine;
        try
        {
            await StartAsync(machine, cancellationToken);
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }

        _machine = machine;
    }

    public override async Task UndoAsync(CancellationToken cancellationToken) => await Machine.DisposeAsync();

    private async Task StartAsync(IVirtualMachine machine, CancellationToken cancellationToken)
    {
        try
        {
            await machine.StartAsync(cancellationToken);
        }
        catch (HypervisorException error)
        {
            // A backend that died first is a closed socket to the monitor, which says that and no more.
            Task<DeviceBackendExit>[] ends = [.. Backends.Select(static backend => backend.Exited)];
            await Task.WhenAny([.. ends, Task.Delay(s_lastWordsTimeout, environment.Time, cancellationToken)]);
            foreach (Task<DeviceBackendExit> end in ends.Where(static end => end.IsCompleted))
            {
                DeviceBackendExit exit = await end;
                if (exit.Failed || (!exit.Requested && error.IsOfSharedFilesystem))
                {
                    throw new HypervisorException(
                        $"Cannot share files with the pod '{plan.Id}': {exit.Reason}. Check hypervisor.qemu.virtio_fs_daemon");
                }
            }

            throw;
        }

        // They are in the service's session, which its own record stands for; one that were to leave it is found by this.
        foreach (int process in machine.ProcessIds.Concat(Backends.SelectMany(static backend => backend.ProcessIds)))
        {
            if (ProcessIdentity.Of(process) is { } identity)
            {
                environment.Journal.Record(new ProcessAcquisition(identity));
            }
        }
    }
}
