using System.Buffers.Binary;
using System.Text;
using Kata.Agent.Boot;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class KernelModuleTests
{
    private static readonly Dictionary<string, string[]> s_needs = new()
    {
        ["/m/nf_tables.ko"] = ["nfnetlink", "libcrc32c"],
        ["/m/nft-ct.ko"] = ["nf_tables", "nf_conntrack"],
        ["/m/nf_conntrack.ko"] = ["nf_defrag_ipv4", "libcrc32c"],
        ["/m/nf_defrag_ipv4.ko"] = [],
        ["/m/libcrc32c.ko"] = [],
        ["/m/round_a.ko"] = ["round_b"],
        ["/m/round_b.ko"] = ["round_a"],
    };

    private readonly HashSet<string> _loaded = [];

    [Fact]
    public void Of_ModuleWithNeeds_HasEachOnceBeforeWhoeverNeedsIt()
    {
        _loaded.Add("nfnetlink");
        Assert.Equal(
            ["/m/libcrc32c.ko", "/m/nf_tables.ko", "/m/nf_defrag_ipv4.ko", "/m/nf_conntrack.ko", "/m/nft-ct.ko"], Order().Of("nft_ct"));
    }

    [Fact]
    public void Of_LoadedModule_IsNothing()
    {
        _loaded.Add("nf_conntrack");
        Assert.Empty(Order().Of("nf-conntrack"));
    }

    [Fact]
    public void Of_ModulesThatNeedEachOther_Ends() => Assert.Equal(["/m/round_b.ko", "/m/round_a.ko"], Order().Of("round_a"));

    [Fact]
    public void MissingFor_ImageLacksOne_NamesIt() => Assert.Equal(["nfnetlink"], Order().MissingFor("nft-ct"));

    [Theory]
    [InlineData("license=GPL\0depends=virtio,virtio_ring\0name=x\0", "virtio,virtio_ring")]
    [InlineData("depends=\0name=x\0", "")]
    [InlineData("softdep=pre: a\0xdepends=b\0", "")]
    [InlineData("", "")]
    public void Needs_ModuleFile_IsWhatItsInformationSays(string information, string expected) =>
        Assert.Equal(expected, string.Join(',', ModuleInformation.Needs(Module(information))));

    [Fact]
    public void Needs_NoModule_IsNothing()
    {
        Assert.Empty(ModuleInformation.Needs([]));
        Assert.Empty(ModuleInformation.Needs("not an ELF file, but long enough to hold the header of one, with some bytes to spare"u8));
        byte[] module = Module("depends=a\0");
        for (int length = 0; length < module.Length; length++)
        {
            Assert.All(ModuleInformation.Needs(module.AsSpan(0, length)), static name => Assert.Equal("a", name)); // cut anywhere
        }

        module.AsSpan(0x28, 8).Fill(0xff); // a table beyond the end
        Assert.Empty(ModuleInformation.Needs(module));
    }

    [Theory]
    [InlineData("virtio_net", true)]
    [InlineData("virtio-net", true)]
    [InlineData("virtio", false)] // begins like one
    [InlineData("", false)]
    public void IsBuiltIn_Name_IsALineOfTheImagesList(string name, bool expected)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("builtin"), "erofs\nvirtio_net\n");

        Assert.Equal(expected, KernelModules.IsBuiltIn(name, directory.File("builtin")));
        Assert.False(KernelModules.IsBuiltIn(name, directory.File("none")));
    }

    [Theory]
    [InlineData("nfnetlink-subsys-10", "nf_tables")]
    [InlineData("rtnl-link-vlan", "8021q")]
    [InlineData("rtnl-link-vl", "rtnl-link-vl")] // begins like one
    [InlineData("bridge", "bridge")]
    [InlineData("", "")]
    public void NameOf_WhatTheKernelAsksFor_IsTheModule(string asked, string expected) =>
        Assert.Equal(expected, ModuleRequests.NameOf(asked, ["nfnetlink-subsys-10 nf_tables", "rtnl-link-vlan 8021q"]));

    [Fact]
    public void Find_ModuleOfTheImage_IsItsFileWhereverItLies()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory.File("6.1/kernel/net"));
        foreach (string file in (string[])["nf_tables.ko.gz", "virtio_net.ko", "6.1/kernel/net/nft-ct.ko", "6.1/kernel/net/text.txt"])
        {
            File.WriteAllText(directory.File(file), "");
        }

        var image = new ImageModules(directory.Path);
        Assert.Equal(directory.File("nf_tables.ko.gz"), image.Find("nf-tables"));
        Assert.Equal(directory.File("virtio_net.ko"), image.Find("virtio_net"));
        Assert.Equal(directory.File("6.1/kernel/net/nft-ct.ko"), image.Find("nft_ct"));
        Assert.Null(image.Find("text"));
        Assert.Null(new ImageModules(directory.File("none")).Find("nf_tables"));
    }

    private ModuleOrder Order() => new(Find, static path => s_needs[path], _loaded.Contains);

    private static string? Find(string name) =>
        s_needs.Keys.FirstOrDefault(path => ImageModules.Normalize(ModuleFile.NameOf(path)) == ImageModules.Normalize(name));

    // Header, information, names of sections, table of two sections.
    private static byte[] Module(string information)
    {
        byte[] text = Encoding.ASCII.GetBytes(information), names = "\0.modinfo\0.shstrtab\0"u8.ToArray();
        byte[] file = new byte[64 + text.Length + names.Length + (3 * 64)];
        int table = 64 + text.Length + names.Length;
        "\u007fELF\u0002\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(0x28), (ulong)table);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(0x3c), 3);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(0x3e), 2);
        text.CopyTo(file, 64);
        names.CopyTo(file, 64 + text.Length);
        Section(1, name: 1, 64, text.Length);
        Section(2, name: 10, 64 + text.Length, names.Length);
        return file;

        void Section(int index, uint name, int offset, int size)
        {
            Span<byte> header = file.AsSpan(table + (index * 64));
            BinaryPrimitives.WriteUInt32LittleEndian(header, name);
            BinaryPrimitives.WriteUInt64LittleEndian(header[0x18..], (ulong)offset);
            BinaryPrimitives.WriteUInt64LittleEndian(header[0x20..], (ulong)size);
        }
    }
}
