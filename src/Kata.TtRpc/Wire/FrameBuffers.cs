using System.Buffers;

namespace Kata.TtRpc;

/// <summary>
/// Where frame memory comes from. Arrays up to <see cref="LargestPooled"/> are shared; larger ones are left to the garbage collector, so
/// that one large message does not stay in the pool of a process that must be small.
/// </summary>
internal static class FrameBuffers
{
    public const int LargestPooled = 128 * 1024;

    public static byte[] Rent(int size) =>
        size <= LargestPooled ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);

    public static void Return(byte[] array)
    {
        if (array.Length is > 0 and <= LargestPooled)
            ArrayPool<byte>.Shared.Return(array);
    }
}
