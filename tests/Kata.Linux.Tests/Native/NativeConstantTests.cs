using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Kata.Linux.Interop;

namespace Kata.Linux.Tests.Native;

/// <summary>Every number of ours is the kernel's, on both architectures, as the C compiler has it from the headers.</summary>
public sealed partial class NativeConstantTests
{
    private static readonly string[] s_headers =
    [
        "errno.h", "fcntl.h", "net/if.h", "poll.h", "sched.h", "signal.h", "spawn.h", "time.h", "sys/epoll.h", "sys/eventfd.h",
        "sys/file.h", "sys/inotify.h", "sys/ioctl.h", "sys/mount.h", "sys/prctl.h", "sys/reboot.h", "sys/resource.h", "sys/socket.h",
        "sys/stat.h", "sys/syscall.h", "sys/wait.h", "linux/close_range.h", "linux/ioprio.h", "linux/kvm.h", "linux/netlink.h",
        "linux/if_tun.h", "linux/loop.h", "linux/nsfs.h", "linux/openat2.h", "linux/random.h", "linux/securebits.h",
        "linux/vhost.h",
    ];

    /// <summary>Ours that have another name in C.</summary>
    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["Last"] = "_NSIG - 1",
        ["WALL"] = "__WALL",
    };

    [Theory]
    [MemberData(nameof(CCompiler.All), MemberType = typeof(CCompiler))]
    public async Task Constant_EveryOne_IsTheKernels(string compiler) =>
        Assert.Equal("", await CCompiler.CompileAsync(compiler, Source([.. Constants(), .. OfOneArchitecture(compiler)])));

    [Fact]
    public async Task Constant_Wrong_IsSeen() => // or everything above could pass for nothing
        Assert.Contains("O_DIRECTORY is 65536", await CCompiler.CompileAsync(CCompiler.Arm64, Source([("O_DIRECTORY", "65536")])));

    [Fact]
    public void OfOneArchitecture_HasEveryFieldThatIsChosenAtRunTime()
    {
        var chosen = Fields(typeof(LibC))
            .Where(static field => !field.IsLiteral)
            .Select(static field => NameOf(field.Name))
            .Order(StringComparer.Ordinal);
        Assert.Equal(chosen, OfOneArchitecture(CCompiler.X64).Select(static item => item.Name).Order(StringComparer.Ordinal));
    }

    // What the compiler of C# put into the assembly.
    private static IEnumerable<(string Name, string Value)> Constants()
    {
        foreach (FieldInfo field in new[] { typeof(LibC), typeof(Signals), typeof(MountFlags), typeof(Errno) }.SelectMany(Fields))
        {
            if (field.IsLiteral && !(field.DeclaringType!.IsEnum && field.Name == "None"))
            {
                yield return (NameOf(field.Name), Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)!);
            }
        }
    }

    // What the other architecture would choose only its own machine could say: the source says both.
    private static IEnumerable<(string Name, string Value)> OfOneArchitecture(string compiler)
    {
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Kata.slnx")))
        {
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException($"Cannot find the sources: no Kata.slnx above '{AppContext.BaseDirectory}'");
        }

        return Directory.GetFiles(Path.Combine(root, "src/Kata.Linux/Interop"), "*.cs")
            .SelectMany(static file => Choice().Matches(File.ReadAllText(file)))
            .Select(match => (NameOf(match.Groups["name"].Value), match.Groups[compiler == CCompiler.Arm64 ? "arm" : "x"].Value));
    }

    [GeneratedRegex(@"(?<name>\w+) = PerArchitecture\(x64: (?<x>\w+), arm64: (?<arm>\w+)\);")]
    private static partial Regex Choice();

    private static FieldInfo[] Fields(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);

    // SysPivotRoot and s_sysPivotRoot are system calls.
    private static string NameOf(string name)
    {
        string? call = name.StartsWith("s_sys", StringComparison.Ordinal) ? name[5..]
            : name.StartsWith("Sys", StringComparison.Ordinal) ? name[3..]
            : null;
        return call is null ? s_names.GetValueOrDefault(name, name)
            : "__NR_" + string.Concat(call.Select(static (character, index) =>
                (index > 0 && char.IsAsciiLetterUpper(character) ? "_" : "") + char.ToLowerInvariant(character)));
    }

    private static string Source(IEnumerable<(string Name, string Value)> constants)
    {
        var text = new StringBuilder("#define _GNU_SOURCE\n");
        text.AppendJoin("", s_headers.Select(static header => $"#include <{header}>\n"));
        foreach ((string name, string value) in constants)
        {
            // The low bits: some are signed here and unsigned there.
            string suffix = value.StartsWith('-') ? "ll" : "ull";
            string bits = value.Length > 10 ? "" : " & 0xffffffffull";
            text.Append($"_Static_assert((((unsigned long long)({name})){bits}) == (((unsigned long long){value}{suffix}){bits}), "
                + $"\"{name} is {value}\");\n");
        }

        return text.ToString();
    }
}
