using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Kata.Linux.Tests.Native;
using Kata.Netlink.Interop;

namespace Kata.Netlink.Tests.Native;

/// <summary>
/// Every number and every structure of ours is the kernel's, on both architectures, as the C compiler has it from the headers.
/// </summary>
public sealed class NativeTests
{
    private static readonly string[] s_headers =
    [
        "errno.h", "stddef.h", "sys/socket.h", "sys/time.h", "linux/fib_rules.h", "linux/if.h", "linux/if_addr.h", "linux/if_link.h",
        "linux/neighbour.h", "linux/net_namespace.h", "linux/netlink.h", "linux/pkt_cls.h", "linux/pkt_sched.h", "linux/rtnetlink.h",
        "linux/veth.h", "linux/tc_act/tc_mirred.h",
    ];

    private static readonly Dictionary<Type, string> s_structures = new()
    {
        [typeof(FibRuleHdr)] = "fib_rule_hdr",
        [typeof(FibRulePortRange)] = "fib_rule_port_range",
        [typeof(FibRuleUidRange)] = "fib_rule_uid_range",
        [typeof(IfAddrMsg)] = "ifaddrmsg",
        [typeof(IfInfoMsg)] = "ifinfomsg",
        [typeof(IfaCacheInfo)] = "ifa_cacheinfo",
        [typeof(IoVec)] = "iovec",
        [typeof(MsgHdr)] = "msghdr",
        [typeof(NdMsg)] = "ndmsg",
        [typeof(NlMsgHdr)] = "nlmsghdr",
        [typeof(RtMsg)] = "rtmsg",
        [typeof(RtNextHop)] = "rtnexthop",
        [typeof(RtaCacheInfo)] = "rta_cacheinfo",
        [typeof(RtnlLinkStats64)] = "rtnl_link_stats64",
        [typeof(SockAddrNl)] = "sockaddr_nl",
        [typeof(TcHtbGlob)] = "tc_htb_glob",
        [typeof(TcHtbOpt)] = "tc_htb_opt",
        [typeof(TcMirred)] = "tc_mirred",
        [typeof(TcMsg)] = "tcmsg",
        [typeof(TcRateSpec)] = "tc_ratespec",
        [typeof(TcTbfQopt)] = "tc_tbf_qopt",
        [typeof(TcU32Key)] = "tc_u32_key",
        [typeof(TcU32Sel)] = "tc_u32_sel",
        [typeof(TimeVal)] = "timeval",
    };

    [Theory]
    [MemberData(nameof(CCompiler.All), MemberType = typeof(CCompiler))]
    public async Task Constant_EveryOne_IsTheKernels(string compiler) =>
        Assert.Equal("", await CCompiler.CompileAsync(compiler, Source(Constants().Select(static constant => Equal(constant)))));

    [Theory]
    [MemberData(nameof(CCompiler.All), MemberType = typeof(CCompiler))]
    public async Task Structure_EveryOne_IsTheKernels(string compiler) =>
        Assert.Equal("", await CCompiler.CompileAsync(compiler, Source(Structures().SelectMany(static type => Layout(type)))));

    [Fact]
    public async Task Wrong_Anything_IsSeen() // or everything above could pass for nothing
    {
        IEnumerable<string> layout = Layout(typeof(RtMsg)).Select(static line => line.Replace("rtmsg", "ndmsg"));
        string error = await CCompiler.CompileAsync(CCompiler.X64, Source([Equal(("IFLA_MTU", "5", typeof(ushort))), .. layout]));
        Assert.Contains("IFLA_MTU is 5", error);
        Assert.Contains("has no member named", error);
    }

    private static IEnumerable<Type> Structures() => typeof(LibC).Assembly.GetTypes().Where(static type =>
        type is { IsValueType: true, IsEnum: false } && type.Namespace == typeof(LibC).Namespace
        && type.GetCustomAttribute<CompilerGeneratedAttribute>() is null && !type.IsNested);

    private static IEnumerable<(string Name, string Value, Type Type)> Constants() =>
        from type in new[] { typeof(LibC), typeof(Rtnl), typeof(NetlinkErrno) }
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where field.IsLiteral && field.Name != "None"
        let value = field.GetRawConstantValue()!
        select (field.Name, Convert.ToString(value, CultureInfo.InvariantCulture)!, value.GetType());

    // A mask is of 16 bits here and of 32 there.
    private static string Equal((string Name, string Value, Type Type) constant) =>
        $"_Static_assert(({(constant.Type == typeof(ushort) ? "unsigned short" : "long long")})({constant.Name}) == {constant.Value}, "
            + $"\"{constant.Name} is {constant.Value}\");";

    private static IEnumerable<string> Layout(Type type)
    {
        Assert.True(s_structures.TryGetValue(type, out string? name), $"{type.Name} has no line in this test: add its name in C");
        string size = $"sizeof(struct {name})";
        // Newer headers have more counters at the end.
        yield return $"_Static_assert({size} {(type == typeof(RtnlLinkStats64) ? ">=" : "==")} {SizeOf(type)}, \"{type.Name}\");";
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public))
        {
            yield return $"_Static_assert(offsetof(struct {name}, {field.Name}) == {Marshal.OffsetOf(type, field.Name)}, "
                + $"\"{type.Name}.{field.Name}\");";
            yield return $"_Static_assert(sizeof(((struct {name} *)0)->{field.Name}) == {SizeOf(field.FieldType)}, "
                + $"\"{type.Name}.{field.Name}\");";
        }
    }

    private static int SizeOf(Type type) => type.IsPointer
        ? IntPtr.Size
        : (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static string Source(IEnumerable<string> lines)
    {
        var text = new StringBuilder("#define _GNU_SOURCE\n");
        text.AppendJoin("", s_headers.Select(static header => $"#include <{header}>\n"));
        text.AppendJoin('\n', lines).Append('\n');
        return text.ToString();
    }
}
