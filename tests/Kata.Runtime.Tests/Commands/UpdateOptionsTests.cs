using System.CommandLine;
using System.Text;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Testing;

namespace Kata.Runtime.Tests;

public sealed class UpdateOptionsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _warnings = new();

    public void Dispose()
    {
        _warnings.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Build_NoOption_ChangesNothing()
    {
        LinuxResources change = Build("");
        Assert.Equal((null, null, null), (change.Memory!.Limit, change.Cpu!.Quota, change.Pids!.Limit));
        Assert.Null(change.BlockIO);
    }

    [Fact]
    public void Build_EveryOption_GoesToItsField()
    {
        LinuxResources change = Build(
            "--blkio-weight 10 --cpu-period 1 --cpu-quota=-1 --cpu-share 3 --cpu-burst 4 --cpu-rt-period 5 --cpu-rt-runtime 6 --cpu-idle 1 "
            + "--cpuset-cpus 0-1 --cpuset-mems 0 --memory 1m --memory-reservation 2k --memory-swap=-1 --pids-limit=-1 "
            + "--kernel-memory 1 --kernel-memory-tcp 2");
        LinuxCpu cpu = change.Cpu!;
        Assert.Equal(
            (1ul, -1L, 3ul, 4ul, 5ul, 6L, 1L),
            (cpu.Period, cpu.Quota, cpu.Shares, cpu.Burst, cpu.RealtimePeriod, cpu.RealtimeRuntime, cpu.Idle));
        Assert.Equal(("0-1", "0"), (cpu.Cpus, cpu.Mems));
        Assert.Equal((1L << 20, 2048L, -1L), (change.Memory!.Limit, change.Memory.Reservation, change.Memory.Swap));
        Assert.Equal((-1L, (ushort)10), (change.Pids!.Limit, change.BlockIO!.Weight));
        Assert.Equal(
            "kata-runtime: --kernel-memory is ignored: kernels no longer have this limit\n"
            + "kata-runtime: --kernel-memory-tcp is ignored: kernels no longer have this limit\n",
            _warnings.ToString());
    }

    [Theory]
    [InlineData("--cpu-period x", "Cannot use --cpu-period 'x': it is malformed. Give a whole number")]
    [InlineData("--cpu-period=-1", "Cannot use --cpu-period '-1': it is malformed. Give a whole number")]
    [InlineData("--cpu-quota 1.5", "Cannot use --cpu-quota '1.5': it is malformed. Give a whole number")]
    [InlineData("--memory 1x", "Cannot use --memory '1x': it is malformed. Give a number of bytes, perhaps with k, m, g, t or p, or -1")]
    [InlineData(
        "--pids-limit 99999999999999999999", "Cannot use --pids-limit '99999999999999999999': it is malformed. Give a whole number")]
    [InlineData("--l3-cache-schema L3:0=f", "Cannot use --l3-cache-schema: Intel RDT is not enabled in the guest. Leave it out")]
    [InlineData("--mem-bw-schema MB:0=20", "Cannot use --mem-bw-schema: Intel RDT is not enabled in the guest. Leave it out")]
    public void Build_BadValue_NamesTheOption(string options, string expected) =>
        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => Build(options)).Message);

    [Fact]
    public void Build_Resources_AreReadFromFileOrInputAndOthersIgnored()
    {
        const string Document = """{ "memory": { "limit": 7, "checkBeforeUpdate": true }, "pids": { "limit": 5 }, "unknown": [] }""";
        string file = Path.Combine(_directory.Path, "r.json");
        File.WriteAllText(file, Document);
        foreach (LinuxResources change in new[] { Build($"-r {file} --memory 9"), Build("--resources - --memory 9", Document) })
        {
            Assert.Equal((7L, true, 5L), (change.Memory!.Limit, change.Memory.CheckBeforeUpdate, change.Pids!.Limit));
            Assert.Null(change.Cpu);
        }
    }

    [Fact]
    public void Build_BadResources_NamesTheFile()
    {
        Assert.StartsWith(
            "Cannot use the file '-': it is empty",
            Assert.Throws<InvalidSpecException>(() => Build("-r -", "")).Message,
            StringComparison.Ordinal);
        Assert.StartsWith(
            "Cannot use the file '-': /pids/limit",
            Assert.Throws<InvalidSpecException>(() => Build("-r -", """{"pids":{"limit":"x"}}""")).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "'/nonexistent': it does not exist",
            Assert.Throws<ArgumentException>(() => Build("-r /nonexistent")).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "it is a directory", Assert.Throws<ArgumentException>(() => Build($"-r {_directory.Path}")).Message, StringComparison.Ordinal);
    }

    private LinuxResources Build(string options, string input = "")
    {
        var update = new UpdateOptions();
        var command = new Command("update");
        update.AddTo(command);
        ParseResult result = command.Parse(options.Length == 0 ? [] : options.Split(' '));
        Assert.Empty(result.Errors);
        return update.Build(result, () => new MemoryStream(Encoding.UTF8.GetBytes(input)), _warnings);
    }
}
