using Kata.Hypervisor;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Gives the pod the machine that waits in its service, if it is one that the pod could have made itself, and else one made from nothing: a
/// pod never fails because of what was made in advance.
/// </summary>
/// <param name="warm">The machine that waits; ended when it is not taken.</param>
/// <param name="keyOf">What a pod's machine is made of.</param>
/// <param name="cold">Makes one from nothing.</param>
/// <param name="environment">The pod's.</param>
internal sealed class WarmMachineSource(
    WarmMachine warm, Func<SandboxPlan, string> keyOf, IMachineSource cold, SandboxEnvironment environment) : IMachineSource
{
    public async Task<Machine> TakeAsync(SandboxPlan plan, IReadOnlyList<DeviceStep> devices, CancellationToken cancellationToken)
    {
        if (await RefusalAsync(plan, devices, cancellationToken) is { } reason)
        {
            environment.Log.WarmRefused(plan.Id, reason);
            var cleanUp = new CleanUp();
            await cleanUp.TryAsync(async () => await warm.DisposeAsync()); // what it leaves is in the journal
            return await cold.TakeAsync(plan, devices, cancellationToken);
        }

        Machine machine = warm.Take();
        try
        {
            foreach (DeviceStep device in devices)
            {
                using var descriptors = new DeviceDescriptors();
                device.HandOver(descriptors);
                await machine.PlugAsync(device.Device, descriptors, cancellationToken);
            }

            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    private async Task<string?> RefusalAsync(SandboxPlan plan, IReadOnlyList<DeviceStep> devices, CancellationToken cancellationToken) =>
        keyOf(plan) != warm.Key ? "the pod asks for another machine than the pool has"
        : devices.Select(item => warm.Capabilities.RefusalOf(item.Device, running: true)).FirstOrDefault(static item => item is not null)
            is { } refusal ? refusal
        : await warm.AnswersAsync(cancellationToken) ? null
        : "its agent does not answer";
}
