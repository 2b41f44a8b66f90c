namespace Kata.Hypervisor;

/// <summary>What <see cref="AcceleratorProbe"/> decided.</summary>
/// <param name="Accelerator">How guest instructions run.</param>
/// <param name="AgentTransport">What the agent's channel travels on.</param>
/// <param name="Reason">Why, for <c>kata-env</c> and the log.</param>
/// <param name="Warning">Set for software emulation: what the operator must know, once per pod.</param>
internal sealed record AcceleratorChoice(Accelerator Accelerator, AgentTransport AgentTransport, string Reason, string? Warning)
{
    /// <summary><see cref="MachineConfig.TimestampKhz"/> of an emulated guest.</summary>
    public int? TimestampKhz { get; init; }
}
