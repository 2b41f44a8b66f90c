using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>Makes each machine from nothing, when it is asked for.</summary>
internal sealed class ColdMachineSource(SandboxEnvironment environment) : IMachineSource
{
    public async Task<Machine> TakeAsync(SandboxPlan plan, IReadOnlyList<DeviceStep> devices, CancellationToken cancellationToken)
    {
        string directory = environment.Directories.VirtualMachine(plan.Id);
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var shared = new SharedDirectoryStep(environment.Directories.Shared(plan.Id));
        var files = new FileServerStep(plan.Machine.Devices.OfType<FileShareDevice>().Single(), plan, directory, shared, environment.Time);
        var random = new RandomSourceStep(plan.Machine.Devices.OfType<RandomDevice>().Single(), plan.EntropySource);
        var machine = new VirtualMachineStep(plan, environment, directory, [files, random], devices);
        var executor = new StepExecutor(environment.Journal);
        await executor.RunAsync([shared, files, random, machine], cancellationToken);
        return new Machine(plan, environment, machine, files.Sources, executor);
    }
}
