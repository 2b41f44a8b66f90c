using Kata.Agent.Boot;
using Kata.Agent.Channels;
using Kata.Agent.Containers;
using Kata.Agent.Logging;
using Kata.Agent.Processes;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Tests;

public sealed class BootTests
{
    [Fact]
    public void Parse_CommandLine_LastWordWinsAndOthersAreIgnored()
    {
        var words = KernelCommandLine.Parse("quiet agent.log=info root=/dev/x agent.vsock_port=\"5\" agent.devmode  agent.log=debug\n");
        Assert.Equal(("debug", "5", "true", null), (words["log"], words["vsock_port"], words["devmode"], words["root"]));
    }

    [Fact]
    public void Find_PortByName_AmongOthers()
    {
        string root = Directory.CreateTempSubdirectory("kata-agent-ports").FullName;
        try
        {
            Assert.Null(VirtioSerialChannel.Find(Path.Combine(root, "missing")));
            (string, string?)[] ports = [("vport1p1", "other\n"), ("vport1p2", null), ("vport2p1", "agent.channel.0\n")];
            foreach ((string port, string? name) in ports)
            {
                Directory.CreateDirectory(Path.Combine(root, port));
                if (name is not null)
                {
                    File.WriteAllText(Path.Combine(root, port, "name"), name);
                }
            }

            Assert.Equal("/dev/vport2p1", VirtioSerialChannel.Find(root));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Theory]
    [InlineData("ro,noexec", MountFlags.MS_RDONLY | MountFlags.MS_NOEXEC, null)]
    [InlineData("ro,rw,size=1m,mode=755", MountFlags.None, "size=1m,mode=755")]
    [InlineData("rbind", MountFlags.MS_BIND | MountFlags.MS_REC, null)]
    [InlineData("", MountFlags.None, null)]
    internal void Parse_MountOptions_SplitFlagsAndData(string text, MountFlags flags, string? data) =>
        Assert.Equal((flags, data), MountOptions.Parse([text]));

    [Fact]
    public void Format_ContainerText_StaysOneAsciiLine()
    {
        byte[] line = ConsoleLogger.Format(DateTimeOffset.UnixEpoch, LogLevel.Warning, "a\nb\u001b[31m\"ü", null);
        Assert.Equal('\n', (char)line[^1]);
        Assert.All(line[..^1], static value => Assert.InRange(value, (byte)0x20, (byte)0x7e));
        Assert.StartsWith(
            "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"warning\",\"msg\":", System.Text.Encoding.ASCII.GetString(line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("é")]
    public void Parse_BadContainerId_IsRefused(string id) => Assert.Throws<Grpc.Core.RpcException>(() => ContainerId.Parse(id));

    [Fact]
    public void Parse_ProcFiles_NameWithParentheses()
    {
        GuestProcess? process = ProcFiles.Parse(
            42, "42 (a) b) S 1 42 42 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 3 0 1000 4096 10 18446744073709551615",
            "Name:\ta) b\nUid:\t5\t5\t5\t5\nNSpid:\t42\t7\n", "sh\0-c\0x\0"u8, level: 1);
        Assert.Equal(
            (7, 42, "sh -c x", 5u, "S", 3u),
            (process!.Pid, process.GuestPid, process.Command, process.Uid, process.State, process.Threads));
        Assert.Equal((10_000ul, 2000ul, 40960ul), (process.StartedMs, process.CpuMs, process.ResidentBytes));
        Assert.Null(ProcFiles.Parse(1, "garbage", "", [], 0));
        Assert.Equal("[k]", ProcFiles.Parse(2, "2 (k) S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", "", [], 0)!.Command);
    }
}
