using Kata.Hypervisor;
using Kata.Network;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

/// <summary>Taps of the running kernel, in a namespace of the test's own.</summary>
public sealed class HostTapStepTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly NetworkNamespace _space;

    public HostTapStepTests() =>
        _space = NetworkNamespace.Open($"/proc/self/fd/{_network.Handle.DangerousGetHandle()}", mountNamespace: null);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _space.Dispose();
        _network.Dispose();
    }

    [Theory]
    [InlineData(1, "")]
    [InlineData(2, "multi_queue")]
    public async Task Do_TapThatIsThere_OpensItsQueuesAndLeavesIt(int queues, string option)
    {
        _network.Run($"ip tuntap add tap7 mode tap {option}");
        HostTapStep step = Step("tap7", queues);

        await step.DoAsync(Token);
        NetworkException taken = await Assert.ThrowsAsync<NetworkException>(() => Step("tap7", 1 + (queues % 2)).DoAsync(Token));
        using (var descriptors = new DeviceDescriptors())
        {
            step.HandOver(descriptors);
            Assert.Equal(queues, descriptors.Of(step.Device).Count);
        }

        await step.UndoAsync(Token);
        Assert.Contains("Correct 'queue_num'", taken.Message, StringComparison.Ordinal);
        Assert.Contains("tap7", _network.Run("ip link"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Do_TapThatAnotherHas_SaysSo()
    {
        _network.Run("ip tuntap add tap7 mode tap");
        HostTapStep first = Step("tap7", 1);
        await first.DoAsync(Token);

        NetworkException error = await Assert.ThrowsAsync<NetworkException>(() => Step("tap7", 1).DoAsync(Token));
        Assert.Contains("another program has it open", error.Message, StringComparison.Ordinal);
        await first.UndoAsync(Token);
        await Step("tap7", 1).DoAsync(Token);
    }

    [Theory]
    [InlineData("true", "there is none. Make it first")]
    [InlineData("ip link add tap7 type bridge", "it is no tap. Name one")]
    [InlineData("ip tuntap add tap7 mode tun", "it is no tap. Name one")]
    [InlineData("ip tuntap add tap7 mode tap multi_queue", "it was made for several queues, and the file asks for 1. Correct 'queue_num'")]
    public async Task Do_WhatIsNoSuchTap_SaysWhatToDoAndMakesNone(string command, string text)
    {
        _network.Run(command);
        string before = _network.Run("ip -o link");

        NetworkException error = await Assert.ThrowsAsync<NetworkException>(() => Step("tap7", 1).DoAsync(Token));

        Assert.Contains(text, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _network.Run("ip -o link"));
    }

    private HostTapStep Step(string name, int queues) => new(
        _space, new TapBackend(name, queues, 256), new NetworkDevice(new DeviceId("direct1"), "02:00:00:00:00:01", queues));
}
