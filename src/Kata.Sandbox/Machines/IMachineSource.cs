using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>Where pods get their machines from.</summary>
internal interface IMachineSource
{
    /// <summary>Takes a machine that runs, its guest up or still booting. The caller owns it.</summary>
    /// <param name="plan">The pod that it is for.</param>
    /// <param name="devices">What the pod has made on the host for it, and what it is to have beside its own.</param>
    /// <param name="cancellationToken">Calls it off; nothing is left then.</param>
    /// <exception cref="HypervisorException">The machine did not come to be; the reason names the component.</exception>
    Task<Machine> TakeAsync(SandboxPlan plan, IReadOnlyList<DeviceStep> devices, CancellationToken cancellationToken);
}
