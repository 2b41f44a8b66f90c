using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Rates and bursts as the packet scheduler has them: bytes a second, and the time that a burst takes in ticks of 64 ns.</summary>
internal static class TcRates
{
    private const double TicksPerSecond = 1e9 / 64; // PSCHED_SHIFT is 6

    public static TcRateSpec Specify(ulong rate) => new()
    {
        linklayer = Rtnl.TC_LINKLAYER_ETHERNET, // else the kernel wants a table of rates
        rate = (uint)Math.Min(rate, uint.MaxValue),
    };

    public static uint Ticks(uint bytes, ulong rate) => (uint)Math.Min(Math.Round(bytes * TicksPerSecond / rate), uint.MaxValue);

    public static uint Bytes(uint ticks, ulong rate) => (uint)Math.Min(Math.Round(ticks / TicksPerSecond * rate), uint.MaxValue);
}
