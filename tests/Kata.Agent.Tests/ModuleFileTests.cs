using System.IO.Compression;
using Kata.Agent.Boot;
using Kata.Testing;

namespace Kata.Agent.Tests;

public sealed class ModuleFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("/lib/modules/virtio_blk.ko", "virtio_blk")]
    [InlineData("/lib/modules/6.1.0/fs/xfs.ko.gz", "xfs")]
    [InlineData("crc32c-intel.ko.gz", "crc32c-intel")]
    public void NameOf_Path_IsTheModules(string path, string expected) => Assert.Equal(expected, ModuleFile.NameOf(path));

    [Fact]
    public void All_Directory_HasBothKindsAndNothingElse()
    {
        Directory.CreateDirectory(_directory.File("fs"));
        foreach (string name in (string[])["a.ko", "fs/b.ko.gz", "c.ko.xz", "d.kop", "modules.dep", "e.gz"])
        {
            File.WriteAllText(_directory.File(name), "");
        }

        Assert.Equal(["a.ko", "b.ko.gz"], ModuleFile.All(_directory.Path).Select(static path => Path.GetFileName(path)).Order());
        Assert.Empty(ModuleFile.All(_directory.File("missing")));
    }

    [Fact]
    public void Read_EitherKind_IsWhatTheKernelTakes()
    {
        byte[] module = new byte[300_000];
        new Random(1).NextBytes(module);
        File.WriteAllBytes(_directory.File("a.ko"), module);
        Compress("b.ko.gz", module);
        Assert.Equal(module, ModuleFile.Read(_directory.File("a.ko")));
        Assert.Equal(module, ModuleFile.Read(_directory.File("b.ko.gz")));
    }

    [Fact]
    public void Read_CompressedBomb_IsRefused()
    {
        Compress("b.ko.gz", new byte[65 * 1024 * 1024]);
        Assert.Throws<InvalidDataException>(() => ModuleFile.Read(_directory.File("b.ko.gz")));
    }

    [Fact]
    public void Read_Damaged_IsRefused()
    {
        File.WriteAllText(_directory.File("b.ko.gz"), "not compressed at all");
        Assert.Throws<InvalidDataException>(() => ModuleFile.Read(_directory.File("b.ko.gz")));
    }

    [Fact]
    public void TryLoad_MissingFile_IsTheKernelsAnswer() =>
        Assert.Equal(Kata.Linux.Errno.ENOENT, ModuleFile.TryLoad(_directory.File("a.ko"), "")?.Errno);

    [Theory]
    [InlineData("console=ttyS0 virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6 x.virtio_mmio.y",
        "device=4K@0xd0000000:5 device=4K@0xd0001000:6")]
    [InlineData("console=ttyS0 virtio_mmiox.device=1", null)]
    [InlineData("", null)]
    public void Find_MmioTransport_ByTheCommandLine(string commandLine, string? expected)
    {
        IReadOnlyList<string>? found = MmioTransport.Find(commandLine, _directory.Path);
        Assert.Equal(expected, found is null ? null : string.Join(' ', found));
    }

    [Fact]
    public void Find_MmioTransport_ByAcpi()
    {
        Directory.CreateDirectory(_directory.File("bus/acpi/devices/LNRO0005:00"));
        Assert.Empty(MmioTransport.Find("quiet", _directory.Path)!);
    }

    private void Compress(string name, byte[] content)
    {
        using FileStream file = File.Create(_directory.File(name));
        using var compressed = new GZipStream(file, CompressionLevel.Fastest);
        compressed.Write(content);
    }
}
