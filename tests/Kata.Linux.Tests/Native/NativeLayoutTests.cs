using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux.Tests.Native;

/// <summary>Every structure of ours is the kernel's, on both architectures, as the C compiler has it from the headers.</summary>
public sealed class NativeLayoutTests
{
    /// <summary>Of each structure: its name in C and the headers; its size where it has grown since, or is only the beginning.</summary>
    private static readonly Dictionary<Type, CStructure> s_structures = new()
    {
        [typeof(CapData)] = new("struct __user_cap_data_struct", "linux/capability.h"),
        [typeof(CapHeader)] = new("struct __user_cap_header_struct", "linux/capability.h"),
        [typeof(InAddr)] = new("struct in_addr", "netinet/in.h"),
        [typeof(IfReqFlags)] = new("struct ifreq", "net/if.h"),
        [typeof(IoVec)] = new("struct iovec", "sys/uio.h"),
        [typeof(LoopConfig)] = new("struct loop_config", "linux/loop.h"),
        [typeof(LoopInfo64)] = new("struct loop_info64", "linux/loop.h"),
        [typeof(MountAttr)] = new("struct mount_attr", "linux/mount.h", "MOUNT_ATTR_SIZE_VER0"),
        [typeof(MsgHdr)] = new("struct msghdr", "sys/socket.h"),
        [typeof(OpenHow)] = new("struct open_how", "linux/openat2.h"),
        [typeof(PollFd)] = new("struct pollfd", "poll.h"),
        [typeof(RLimit)] = new("struct rlimit", "sys/resource.h"),
        [typeof(SchedAttr)] = new("struct sched_attr", "linux/types.h linux/sched/types.h", "SCHED_ATTR_SIZE_VER0"),
        [typeof(SigInfoChild)] = new("siginfo_t", "signal.h"),
        [typeof(SockAddrNl)] = new("struct sockaddr_nl", "linux/netlink.h"),
        [typeof(SockAddrIn)] = new("struct sockaddr_in", "netinet/in.h"),
        [typeof(SockAddrVm)] = new("struct sockaddr_vm", "sys/socket.h linux/vm_sockets.h"),
        [typeof(StatFs)] = new("struct statfs", "sys/vfs.h"),
        [typeof(StatXTimestamp)] = new("struct statx_timestamp", "linux/stat.h"),
        [typeof(StatX)] = new("struct statx", "linux/stat.h"),
        [typeof(Termios)] = new("struct termios", "asm/termbits.h"),
        [typeof(TimeSpec)] = new("struct timespec", "time.h"),
        [typeof(UCred)] = new("struct ucred", "sys/socket.h"),
        [typeof(WinSize)] = new("struct winsize", "asm/termios.h"),
    };

    public static MatrixTheoryData<string, string> Structures =>
        new(Structs().Select(static type => type.Name), [CCompiler.X64, CCompiler.Arm64]);

    [Theory]
    [MemberData(nameof(Structures))]
    public async Task Layout_OfEveryStructure_IsTheKernels(string name, string compiler)
    {
        Type type = Structs().Single(type => type.Name == name);
        Assert.True(
            s_structures.TryGetValue(type, out CStructure? native), $"{name} has no line in this test: add its name in C and the header");
        FieldInfo[] fields = [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)];
        Assert.Contains(fields, static field => field.IsPublic);

        Assert.Equal("", await CCompiler.CompileAsync(compiler, Source(type, native, fields)));
    }

    [Fact]
    public async Task Layout_WrongStructure_IsSeen() // or everything above could pass for nothing
    {
        FieldInfo[] fields = typeof(TimeSpec).GetFields();
        string error = await CCompiler.CompileAsync(
            CCompiler.Arm64, Source(typeof(TimeSpec), new CStructure("struct winsize", "asm/termios.h"), fields));
        Assert.Contains("TimeSpec has 16 bytes", error);
        Assert.Contains("no member named 'tv_sec'", error);
    }

    /// <summary>What has no structure of ours, because the two architectures differ or the C library alone knows it.</summary>
    [Theory]
    [MemberData(nameof(CCompiler.All), MemberType = typeof(CCompiler))]
    public async Task Sizes_WithoutAStructure_AreAsAssumed(string compiler)
    {
        int eventSize = compiler == CCompiler.X64 ? 12 : 16;
        Assert.Equal("", await CCompiler.CompileAsync(compiler, $"""
            #define _GNU_SOURCE
            #include <stddef.h>
            #include <signal.h>
            #include <spawn.h>
            #include <sys/epoll.h>
            #include <sys/socket.h>
            #include <sys/un.h>
            _Static_assert(sizeof(struct epoll_event) == {eventSize}, "EventLoop: epoll_event");
            _Static_assert(offsetof(struct epoll_event, data) == {eventSize - 8}, "EventLoop: epoll_event.data");
            _Static_assert(sizeof(struct cmsghdr) == 16 && CMSG_LEN(0) == 16, "DescriptorPassing: cmsghdr");
            _Static_assert(offsetof(struct sockaddr_un, sun_path) == 2, "UnixSocket: sockaddr_un");
            _Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == 108, "UnixSocket: sockaddr_un.sun_path");
            _Static_assert(sizeof(sigset_t) == 128, "PreparedSpawn: sigset_t");
            _Static_assert(sizeof(posix_spawn_file_actions_t) <= 512 && sizeof(posix_spawnattr_t) <= 512, "PreparedSpawn: opaque types");

            """));
    }

    private static IEnumerable<Type> Structs() => typeof(LibC).Assembly.GetTypes()
        .Where(static type => type is { IsValueType: true, IsEnum: false } && type.Namespace == typeof(LibC).Namespace
            && type.GetCustomAttribute<CompilerGeneratedAttribute>() is null
            && !type.IsDefined(typeof(UnsafeValueTypeAttribute))
            && !IsRecord(type))
        .OrderBy(static type => type.Name, StringComparer.Ordinal);

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic) is not null;

    private static string Source(Type type, CStructure native, FieldInfo[] fields)
    {
        var text = new StringBuilder("#define _GNU_SOURCE\n#include <stddef.h>\n");
        foreach (string header in native.Headers.Split(' '))
        {
            text.Append($"#include <{header}>\n");
        }

        text.Append($"typedef {native.Name} native;\n");
        int size = SizeOf(type);
        text.Append($"_Static_assert({native.Size ?? "sizeof(native)"} == {size}, \"{type.Name} has {size} bytes\");\n");
        foreach (FieldInfo field in fields.Where(static field => field.IsPublic))
        {
            nint offset = Marshal.OffsetOf(type, field.Name);
            text.Append($"_Static_assert(offsetof(native, {field.Name}) == {offset}, \"{type.Name}.{field.Name} is at {offset}\");\n");
            int fieldSize = SizeOf(field.FieldType);
            text.Append($"_Static_assert(sizeof(((native *)0)->{field.Name}) == {fieldSize}, "
                + $"\"{type.Name}.{field.Name} has {fieldSize} bytes\");\n");
            if (IsSigned(field.FieldType) is { } signed)
            {
                text.Append($"_Static_assert(((__typeof__(((native *)0)->{field.Name}))-1 < 0) == {(signed ? 1 : 0)}, "
                    + $"\"{type.Name}.{field.Name} is {(signed ? "" : "un")}signed\");\n");
            }
        }

        return text.ToString();
    }

    private static bool? IsSigned(Type type) =>
        type == typeof(int) || type == typeof(short) || type == typeof(long) ? true
        : type == typeof(uint) || type == typeof(ushort) || type == typeof(ulong) || type == typeof(nuint) || type == typeof(byte) ? false
        : null;

    private static int SizeOf(Type type) => type.IsPointer
        ? IntPtr.Size
        : (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private sealed record CStructure(string Name, string Headers, string? Size = null);
}
