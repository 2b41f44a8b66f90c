using System.Runtime.InteropServices;
using Kata.Linux.Interop;

namespace Kata.Linux.Tests;

/// <summary>Numbers of the kernel's that differ between architectures.</summary>
public sealed class ArchitectureTests
{
    [Theory]
    [InlineData(Architecture.X64, 1)]
    [InlineData(Architecture.Arm64, 2)]
    public void PerArchitecture_KnownOne_IsItsOwn(Architecture architecture, int number) =>
        Assert.Equal(number, LibC.PerArchitecture(architecture, x64: 1, arm64: 2));

    [Theory]
    [InlineData(Architecture.S390x)]
    [InlineData(Architecture.Ppc64le)]
    [InlineData(Architecture.RiscV64)]
    [InlineData(Architecture.LoongArch64)]
    [InlineData(Architecture.X86)]
    public void PerArchitecture_UnknownOne_IsRefusedByName(Architecture architecture) =>
        Assert.Equal(
            $"Cannot run on the architecture '{architecture}': its system call numbers are not known here. Use x86-64 or arm64",
            Assert.Throws<PlatformNotSupportedException>(() => LibC.PerArchitecture(architecture, x64: 1, arm64: 2)).Message);

    // The only wrapper of libc's that can be compared with: the rest would change this process.
    [Fact]
    public void GetTid_OfTheFirstThread_IsThisArchitecturesCall() =>
        Assert.Contains(LibC.gettid(), Directory.GetDirectories("/proc/self/task").Select(static path =>
            int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture)));
}
