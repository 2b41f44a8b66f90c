using Kata.Hypervisor;
using Kata.Hypervisor.Qemu;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Fuzz.Targets;

/// <summary>A control channel on which QEMU says the input. Two commands and the channel end, by the ways that are documented.</summary>
internal sealed class QmpConnectionTarget : AsyncTarget
{
    public override string Name => "qmp-connection";

    protected override async Task RunAsync(byte[] input)
    {
        var events = new QemuEvents("channel0");
        using var gate = new GatedStream(new ScriptedStream(input, input.Length == 0 ? 1 : 1 + input[^1]));
        await using var connection = new QmpConnection(gate, events.Observe, TimeSpan.FromSeconds(10), TimeProvider.System);
        Task[] ends = [Expected(connection.ExecuteAsync(QmpCommand.QueryStatus, default)), Expected(connection.OpenAsync(default))];
        gate.Open();
        await Task.WhenAll(ends);
        await connection.Closed;
        Finding.Unless(connection.Failure is QmpProtocolException, $"the channel ended by {connection.Failure}");
    }

    private static async Task Expected(Task task)
    {
        try
        {
            await task;
        }
        catch (HypervisorException)
        {
            // QEMU refused, or the channel ended before the answer
        }
    }
}
