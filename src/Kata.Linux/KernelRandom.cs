using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Numbers that nobody can guess, of the kernel's generator: getrandom(2). <c>System.Security.Cryptography</c> would load OpenSSL for them,
/// see <see cref="Sha256"/>.
/// </summary>
internal static class KernelRandom
{
    private const int MostAtOnce = 256;

    /// <summary>Fills all of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">At most 256: so many come at once, and no signal interrupts (getrandom(2)).</param>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public static unsafe void Fill(Span<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MostAtOnce);
        // SAFETY: the span is pinned for the call, which writes at most its length.
        fixed (byte* first = bytes)
        {
            LinuxException.ThrowIfNegative((int)LibC.getrandom(first, (nuint)bytes.Length, 0), "getrandom", "get a random number");
        }
    }

    /// <summary>Any of the 2^32.</summary>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public static uint UInt32()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        Fill(bytes);
        return BitConverter.ToUInt32(bytes);
    }
}
