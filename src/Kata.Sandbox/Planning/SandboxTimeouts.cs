namespace Kata.Sandbox;

/// <summary>The limits of every wait on a peer; all from configuration.</summary>
/// <param name="Boot">From the VMM's start until the guest's agent has opened its channel.</param>
/// <param name="Dial">From then until the agent has said who it is.</param>
/// <param name="Request">One call to the agent.</param>
/// <param name="Create">The call that makes a container.</param>
/// <param name="AgentCheck">Between two questions whether the agent still answers.</param>
/// <param name="Stop">One component's end after it was asked to.</param>
/// <param name="StdioDrain">How long a reader that takes nothing holds up an exit's report.</param>
internal sealed record SandboxTimeouts(
    TimeSpan Boot, TimeSpan Dial, TimeSpan Request, TimeSpan Create, TimeSpan AgentCheck, TimeSpan Stop, TimeSpan StdioDrain);
