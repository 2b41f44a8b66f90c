using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Linux.Interop;

namespace Kata.Linux.Tests;

/// <summary>Sizes and offsets as the 64-bit kernel headers have them; both architectures agree on all of these.</summary>
public sealed class NativeLayoutTests
{
    public static TheoryData<string, int, int> Sizes => new()
    {
        { nameof(SockAddrVm), Unsafe.SizeOf<SockAddrVm>(), 16 },
        { nameof(RLimit), Unsafe.SizeOf<RLimit>(), 16 },
        { nameof(UCred), Unsafe.SizeOf<UCred>(), 12 },
        { nameof(IoVec), Unsafe.SizeOf<IoVec>(), 16 },
        { nameof(MsgHdr), Unsafe.SizeOf<MsgHdr>(), 56 },
        { nameof(MountAttr), Unsafe.SizeOf<MountAttr>(), 32 },
        { nameof(OpenHow), Unsafe.SizeOf<OpenHow>(), 24 },
        { nameof(StatX), Unsafe.SizeOf<StatX>(), 256 },
        { nameof(SigInfoChild), Unsafe.SizeOf<SigInfoChild>(), 128 },
        { nameof(CapHeader), Unsafe.SizeOf<CapHeader>(), 8 },
        { nameof(CapData), Unsafe.SizeOf<CapData>(), 12 },
        { nameof(WinSize), Unsafe.SizeOf<WinSize>(), 8 },
        { nameof(Termios), Unsafe.SizeOf<Termios>(), 36 },
    };

    public static TheoryData<string, int, int> Offsets => new()
    {
        { "sockaddr_vm.svm_port", Offset<SockAddrVm>(nameof(SockAddrVm.svm_port)), 4 },
        { "sockaddr_vm.svm_cid", Offset<SockAddrVm>(nameof(SockAddrVm.svm_cid)), 8 },
        { "msghdr.msg_iov", Offset<MsgHdr>(nameof(MsgHdr.msg_iov)), 16 },
        { "msghdr.msg_control", Offset<MsgHdr>(nameof(MsgHdr.msg_control)), 32 },
        { "msghdr.msg_flags", Offset<MsgHdr>(nameof(MsgHdr.msg_flags)), 48 },
        { "siginfo.si_pid", Offset<SigInfoChild>(nameof(SigInfoChild.si_pid)), 16 },
        { "siginfo.si_status", Offset<SigInfoChild>(nameof(SigInfoChild.si_status)), 24 },
        { "statx.stx_mode", Offset<StatX>(nameof(StatX.stx_mode)), 28 },
        { "statx.stx_size", Offset<StatX>(nameof(StatX.stx_size)), 40 },
        { "statx.stx_mnt_id", Offset<StatX>(nameof(StatX.stx_mnt_id)), 144 },
        { "termios.c_cc", Offset<Termios>(nameof(Termios.c_cc)), 17 },
        { "mount_attr.propagation", Offset<MountAttr>(nameof(MountAttr.propagation)), 16 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Size_AsTheKernelHas(string name, int actual, int expected) => Assert.True(expected == actual, $"{name} is {actual} bytes, not {expected}");

    [Theory]
    [MemberData(nameof(Offsets))]
    public void Offset_AsTheKernelHas(string name, int actual, int expected) => Assert.True(expected == actual, $"{name} is at {actual}, not {expected}");

    private static int Offset<T>(string field) => (int)Marshal.OffsetOf<T>(field);
}
