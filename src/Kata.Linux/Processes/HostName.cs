using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>The name of the calling thread's UTS namespace.</summary>
internal static class HostName
{
    private const int Limit = 64; // __NEW_UTS_LEN, linux/utsname.h

    /// <summary>Sets it; a longer one is cut to what the kernel holds.</summary>
    public static unsafe void Set(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        // SAFETY: the array is pinned for the call, and the length given is not above its own.
        fixed (byte* first = bytes)
        {
            LinuxException.ThrowIfNegative(
                LibC.sethostname(first, (nuint)Math.Min(bytes.Length, Limit)), "sethostname", $"set the host name '{name}'");
        }
    }
}
