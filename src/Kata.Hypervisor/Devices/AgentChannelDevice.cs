namespace Kata.Hypervisor;

/// <summary>What the agent's byte stream travels on; the driver makes its channel.</summary>
/// <param name="Transport">How the guest sees it.</param>
internal sealed record AgentChannelDevice(AgentTransport Transport) : Device(new DeviceId("agent"))
{
    public override DeviceKinds Kind => DeviceKinds.AgentChannel;

    public override int DescriptorCount => 0;
}
