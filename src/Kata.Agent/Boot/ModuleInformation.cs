using System.Buffers.Binary;
using System.Text;

namespace Kata.Agent.Boot;

/// <summary>
/// What a kernel module's file says about it: the section <c>.modinfo</c> of a 64-bit ELF file (elf(5)), NUL-ended <c>KEY=VALUE</c> items.
/// </summary>
internal static class ModuleInformation
{
    private const int HeaderSize = 64; // Elf64_Ehdr
    private const int SectionSize = 64; // Elf64_Shdr

    /// <summary>The names of the modules that it needs; none of a file that is no module, which the kernel will refuse.</summary>
    public static IReadOnlyList<string> Needs(ReadOnlySpan<byte> file)
    {
        ReadOnlySpan<byte> key = "depends="u8;
        ReadOnlySpan<byte> information = Section(file, ".modinfo"u8);
        foreach (Range range in information.Split((byte)0))
        {
            if (information[range].StartsWith(key))
            {
                return Encoding.ASCII.GetString(information[range][key.Length..]).Split(',', StringSplitOptions.RemoveEmptyEntries);
            }
        }

        return [];
    }

    private static ReadOnlySpan<byte> Section(ReadOnlySpan<byte> file, ReadOnlySpan<byte> name)
    {
        if (file.Length < HeaderSize || !file.StartsWith("\u007fELF\u0002\u0001"u8)) // 64 bits, little-endian
        {
            return [];
        }

        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(file[0x28..]); // e_shoff
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3c..]), names = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3e..]);
        if (names >= count || table > (ulong)file.Length || (ulong)file.Length - table < (ulong)(count * SectionSize))
        {
            return [];
        }

        ReadOnlySpan<byte> headers = file.Slice((int)table, count * SectionSize);
        ReadOnlySpan<byte> strings = Content(file, headers.Slice(names * SectionSize, SectionSize));
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = headers.Slice(i * SectionSize, SectionSize);
            uint at = BinaryPrimitives.ReadUInt32LittleEndian(header); // sh_name
            if (at < strings.Length && strings[(int)at..].StartsWith(name) && strings[(int)at..].Length > name.Length
                && strings[(int)at + name.Length] == 0)
            {
                return Content(file, header);
            }
        }

        return [];
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> file, ReadOnlySpan<byte> header)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header[0x20..]);
        return offset <= (ulong)file.Length && size <= (ulong)file.Length - offset ? file.Slice((int)offset, (int)size) : [];
    }
}
