using Kata.Hypervisor.Contract;
namespace Kata.Integration.Tests.Hypervisor;

public sealed class AgentChannelTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ConnectAgent_GuestOpensItsPort_Connects()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.WithGuest("q35"));
        await test.Machine.StartAsync(Cancellation);

        await using Stream agent = await test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(TestMachine.BootLimit, Cancellation);

        Assert.False(test.Machine.Exited.IsCompleted);
    }
}
