using System.Buffers.Binary;
using System.Text;

namespace Kata.Runtime.Hosting;

/// <summary>Reads a kernel's release from its file. Only the form that PCs boot (bzImage) has it in a fixed place.</summary>
internal static class KernelFile
{
    // Documentation/arch/x86/boot.rst: "HdrS", and the version's text by its distance from 0x200.
    private const int MagicOffset = 0x202;
    private const int VersionOffset = 0x20e;
    private const int VersionBase = 0x200;
    private const int HeaderBytes = 0x10000;
    private const int LongestRelease = 64; // uname(2)

    /// <summary>Such as <c>6.1.0-57-cloud-amd64</c>; empty when the file cannot be read or is of another form.</summary>
    public static string ReadRelease(string path)
    {
        byte[] header = new byte[HeaderBytes];
        int count;
        try
        {
            using FileStream file = File.OpenRead(path);
            count = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }

        ReadOnlySpan<byte> text = header.AsSpan(0, count);
        if (text.Length < VersionOffset + 2 || !text[MagicOffset..].StartsWith("HdrS"u8))
        {
            return "";
        }

        int start = VersionBase + BinaryPrimitives.ReadUInt16LittleEndian(text[VersionOffset..]);
        if (start >= text.Length)
        {
            return "";
        }

        // "6.1.0-57-cloud-amd64 (maintainer) #1 SMP …"
        text = text[start..Math.Min(start + LongestRelease, text.Length)];
        int end = text.IndexOfAny((byte)' ', (byte)0);
        text = end < 0 ? text : text[..end];
        return text.ContainsAnyExceptInRange((byte)'!', (byte)'~') ? "" : Encoding.ASCII.GetString(text);
    }
}
