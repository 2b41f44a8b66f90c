using System.Text;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Tests;

public sealed class KernelFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData("6.12.95+deb12-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP", "6.12.95+deb12-cloud-amd64")]
    [InlineData("6.1.0", "6.1.0")]
    [InlineData("6.1\u001b[31m", "")]
    public void ReadRelease_BzImage_IsTheFirstWord(string text, string release)
    {
        byte[] file = new byte[0x400];
        "HdrS"u8.CopyTo(file.AsSpan(0x202));
        file[0x20e] = 0x80; // the text is at 0x200 + 0x80
        Encoding.ASCII.GetBytes(text).CopyTo(file, 0x280);
        File.WriteAllBytes(_path, file);

        Assert.Equal(release, KernelFile.ReadRelease(_path));
    }

    [Theory]
    [InlineData("Linux version 6.12.117-kata (kata@kata) (gcc", "6.12.117-kata")]
    [InlineData("Linux version 6.12", "6.12")]
    [InlineData("%s version %s", "")]
    [InlineData("", "")]
    public void ReadRelease_Vmlinux_IsTheBanners(string text, string release)
    {
        File.WriteAllBytes(_path, [.. "\x7fELF"u8, .. new byte[0x20000], .. Encoding.ASCII.GetBytes(text)]);

        Assert.Equal(release, KernelFile.ReadRelease(_path));
    }

    [Fact]
    public void ReadRelease_TextBeyondTheFile_IsNothing()
    {
        byte[] file = new byte[0x210];
        "HdrS"u8.CopyTo(file.AsSpan(0x202));
        file[0x20f] = 0xff;
        File.WriteAllBytes(_path, file);

        Assert.Equal("", KernelFile.ReadRelease(_path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(100_000)]
    public void ReadRelease_AnotherFile_IsNothing(int length)
    {
        File.WriteAllBytes(_path, new byte[length]);

        Assert.Equal("", KernelFile.ReadRelease(_path));
    }

    [Fact]
    public void ReadRelease_NoFile_IsNothing() => Assert.Equal("", KernelFile.ReadRelease("/nowhere/vmlinuz"));
}
