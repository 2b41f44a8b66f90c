using System.Diagnostics;
using System.Globalization;
using Kata.Hypervisor;
using Kata.Hypervisor.Contract;
using Kata.Linux;

namespace Kata.Integration.Tests.Hypervisor;

public sealed class QemuBootTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Boot_KernelWithoutRoot_ReportsThePanicWithItsLine()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.Config());
        Stopwatch watch = Stopwatch.StartNew();
        await test.Machine.StartAsync(Cancellation);
        TestContext.Current.TestOutputHelper?.WriteLine($"started after {watch.ElapsedMilliseconds} ms");

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(
            () => test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(TestMachine.BootLimit, Cancellation));
        VirtualMachineExit exit = await test.Machine.Exited.WaitAsync(TestMachine.BootLimit, Cancellation);

        Assert.Equal("guest kernel", exit.Component);
        Assert.Contains("Kernel panic - not syncing: VFS: Unable to mount root fs", exit.Reason);
        Assert.Contains("Last console lines: ", error.Message);
        Assert.False(exit.Requested);
    }

    [Fact]
    public async Task Kill_RunningMachine_SaysWhichSignal()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.Config());
        await test.Machine.StartAsync(Cancellation);

        using SafeFileDescriptor pidfd = Kata.Linux.Interop.LibC.pidfd_open(test.Machine.ProcessId);
        Assert.Equal(0, Kata.Linux.Interop.LibC.pidfd_send_signal(pidfd, Signals.SIGKILL));
        VirtualMachineExit exit = await test.Machine.Exited.WaitAsync(TestMachine.BootLimit, Cancellation);

        Assert.Equal(("QEMU", "QEMU was killed by signal 9"), (exit.Component, exit.Reason));
    }

    [Fact]
    public async Task Stop_RunningMachine_EndsItAndIsIdempotent()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.Config());
        await test.Machine.StartAsync(Cancellation);
        int pid = test.Machine.ProcessId;

        await test.Machine.StopAsync(Cancellation).WaitAsync(TestMachine.BootLimit, Cancellation);
        await test.Machine.StopAsync(Cancellation);

        Assert.True((await test.Machine.Exited).Requested);
        Assert.Equal(0, (await test.Machine.Exited).Status?.Code);
        Assert.False(Directory.Exists($"/proc/{pid}"));
    }

    [Fact]
    public async Task Pause_RunningMachine_StopsAndContinues()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.Config("panic=0"));
        await test.Machine.StartAsync(Cancellation);
        var pause = Assert.IsAssignableFrom<IPause>(test.Machine);
        await WaitUntilItWorksAsync(test.Machine.ProcessId);

        await pause.PauseAsync(Cancellation);
        long before = ProcessorTicks(test.Machine.ProcessId);
        await Task.Delay(TimeSpan.FromSeconds(2), Cancellation);
        Assert.InRange(ProcessorTicks(test.Machine.ProcessId) - before, 0, 5); // of 200, which a machine that boots takes

        await pause.ResumeAsync(Cancellation);
        await WaitUntilItWorksAsync(test.Machine.ProcessId);
    }

    [Fact]
    public async Task Start_KernelThatIsNone_QuotesQemu()
    {
        string path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "not a kernel", Cancellation);
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.Config() with { KernelPath = path });

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(() => test.Machine.StartAsync(Cancellation));

        File.Delete(path);
        Assert.Contains("exit code 1", error.Message);
        Assert.Contains("/kernel", error.Message);
    }

    [Fact]
    public async Task Start_MoreMemoryThanTheHostCanGive_QuotesQemu()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.Config() with { MemoryMib = 1 << 30 });

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(() => test.Machine.StartAsync(Cancellation));

        Assert.Contains("memory", error.Message);
    }

    [Fact]
    public async Task Create_MissingKernel_NamesTheFileAndTheSetting()
    {
        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(
            () => QemuMachines.CreateAsync(QemuMachines.Config() with { KernelPath = "/nowhere/vmlinuz" }));

        Assert.Contains("'/nowhere/vmlinuz'", error.Message);
        Assert.Contains("Set 'kernel'", error.Message);
    }

    // A tenth of a second of processor time: a paused machine needs minutes for it.
    private static async Task WaitUntilItWorksAsync(int pid)
    {
        using var limit = new CancellationTokenSource(TestMachine.BootLimit);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, Cancellation);
        for (long start = ProcessorTicks(pid); ProcessorTicks(pid) < start + 10;)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), both.Token);
        }
    }

    // utime and stime, proc(5), in hundredths of a second; the command before them may hold blanks.
    private static long ProcessorTicks(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
