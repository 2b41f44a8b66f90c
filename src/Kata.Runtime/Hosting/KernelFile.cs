using System.Buffers.Binary;
using System.Text;

namespace Kata.Runtime.Hosting;

/// <summary>
/// Reads a kernel's release from its file. The form that PCs boot (bzImage) has it in a fixed place; one that is not compressed (vmlinux,
/// an ELF file) somewhere, as what /proc/version begins with.
/// </summary>
internal static class KernelFile
{
    // Documentation/arch/x86/boot.rst: "HdrS", and the version's text by its distance from 0x200.
    private const int MagicOffset = 0x202;
    private const int VersionOffset = 0x20e;
    private const int VersionBase = 0x200;
    private const int HeaderBytes = 0x10000;
    private const int LongestRelease = 64; // uname(2)
    private const int LongestKernel = 256 << 20; // bytes

    /// <summary>Such as <c>6.1.0-57-cloud-amd64</c>; empty when the file cannot be read or is of another form.</summary>
    public static string ReadRelease(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] header = new byte[HeaderBytes];
            ReadOnlySpan<byte> text = header.AsSpan(0, file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false));
            if (!text.StartsWith("\x7fELF"u8) || file.Length > LongestKernel)
            {
                return OfHeader(text);
            }

            byte[] all = new byte[file.Length];
            file.Position = 0;
            file.ReadExactly(all);
            return OfBanner(all);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string OfHeader(ReadOnlySpan<byte> text)
    {
        if (text.Length < VersionOffset + 2 || !text[MagicOffset..].StartsWith("HdrS"u8))
        {
            return "";
        }

        int start = VersionBase + BinaryPrimitives.ReadUInt16LittleEndian(text[VersionOffset..]);
        return start >= text.Length ? "" : Release(text[start..]);
    }

    private static string OfBanner(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> banner = "Linux version "u8;
        int start = text.IndexOf(banner);
        return start < 0 ? "" : Release(text[(start + banner.Length)..]);
    }

    private static string Release(ReadOnlySpan<byte> text)
    {
        // "6.1.0-57-cloud-amd64 (maintainer) #1 SMP …"
        text = text[..Math.Min(LongestRelease, text.Length)];
        int end = text.IndexOfAny((byte)' ', (byte)0);
        text = end < 0 ? text : text[..end];
        return text.ContainsAnyExceptInRange((byte)'!', (byte)'~') ? "" : Encoding.ASCII.GetString(text);
    }
}
