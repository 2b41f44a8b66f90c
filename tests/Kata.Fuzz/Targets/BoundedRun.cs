namespace Kata.Fuzz.Targets;

/// <summary>Runs one input of a target within the memory that its size allows.</summary>
internal static class BoundedRun
{
    private const long Base = 32L << 20;
    private const long PerByte = 4096;

    /// <exception cref="Exception">A finding: what the target threw, or that it allocated too much.</exception>
    public static void Run(IFuzzTarget target, byte[] input)
    {
        long before = GC.GetTotalAllocatedBytes();
        target.Run(input);
        long allocated = GC.GetTotalAllocatedBytes() - before;
        long limit = Base + (PerByte * input.Length);
        Finding.Unless(
            allocated <= limit, $"{input.Length} bytes of input took {allocated} bytes of memory, and at most {limit} are allowed");
    }
}
