using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Hypervisor.Contract;

/// <summary>
/// What the rest of the program relies on of every driver, put to a real machine whose guest is ours. A driver proves itself by a class
/// that derives from this one. What its <see cref="MachineCapabilities"/> deny is asked for too: it has to be refused, with the reason.
/// </summary>
public abstract class DriverContract
{
    private static readonly TimeSpan s_limit = TestMachine.BootLimit;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected abstract IHypervisorDriver Driver { get; }

    /// <summary>A machine with console, random numbers and the agent's channel, and a guest that opens it.</summary>
    private protected abstract MachineConfig Config { get; }

    private MachineCapabilities Capabilities => Driver.CapabilitiesOf(Config);

    [Fact]
    public async Task Start_Guest_OpensItsChannelAndWritesOnItsConsole()
    {
        string parameters = Config.KernelParameters.Replace("quiet", "");
        await using TestMachine test = await TestMachine.CreateAsync(Driver, Config with { KernelParameters = parameters });
        Assert.Empty(test.Machine.ProcessIds);
        await test.Machine.StartAsync(Cancellation);

        await using (Stream agent = await test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(s_limit, Cancellation))
        {
            Assert.True(agent.CanWrite);
        }

        Assert.Contains(test.Machine.ProcessId, test.Machine.ProcessIds);
        Assert.False(test.Machine.Console.IsEmpty);
        Assert.False(test.Machine.Exited.IsCompleted);
    }

    [Fact]
    public async Task Start_EveryKindOfDeviceThatItHas_Runs()
    {
        var descriptors = new DeviceDescriptors();
        Device[] disks = [TestDisks.Add(descriptors, "disk1"), TestDisks.Add(descriptors, "disk2", readOnly: true)];
        SafeFileDescriptor random = RandomSource.Open("/dev/random");
        MachineConfig config = Config with
        {
            Devices =
            [
                .. Config.Devices.Where(static device => device is not RandomDevice), new RandomDevice(FromHostDevice: true), .. disks,
            ],
        };
        descriptors.Add(config.Devices.OfType<RandomDevice>().Single().Id, random);
        Assert.All(config.Devices, device => Assert.True(Capabilities.Cold.HasFlag(device.Kind)));

        await using TestMachine test = await TestMachine.CreateAsync(Driver, config, descriptors);
        await test.Machine.StartAsync(Cancellation);

        await (await test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(s_limit, Cancellation)).DisposeAsync();
    }

    [Fact]
    public async Task Create_DeviceWithoutItsDescriptor_IsAMistakeBeforeAnythingRuns()
    {
        var disk = new DiskDevice(new DeviceId("disk1"), ReadOnly: true, IsBlockDevice: false);

        MachineConfig config = Config with { Devices = [.. Config.Devices, disk] };
        await Assert.ThrowsAsync<ArgumentException>(() => TestMachine.CreateAsync(Driver, config));
    }

    [Fact]
    public async Task Create_MoreDisksThanItHasPlacesFor_SaysHowMany()
    {
        var descriptors = new DeviceDescriptors();
        int tooMany = Capabilities.MaxPluggable + 1;
        Device[] disks = [.. Enumerable.Range(0, tooMany).Select(index => TestDisks.Add(descriptors, $"disk{index}"))];

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(
            () => TestMachine.CreateAsync(Driver, Config with { Devices = [.. Config.Devices, .. disks] }, descriptors));

        Assert.Contains($"places for {Capabilities.MaxPluggable}", error.Message);
    }

    [Fact]
    public async Task Start_AsManyDisksAsItHasPlacesFor_Runs()
    {
        var descriptors = new DeviceDescriptors();
        Device[] disks = [.. Enumerable.Range(0, Capabilities.MaxPluggable).Select(index => TestDisks.Add(descriptors, $"disk{index}"))];

        MachineConfig config = Config with { Devices = [.. Config.Devices, .. disks] };
        await using TestMachine test = await TestMachine.CreateAsync(Driver, config, descriptors);
        await test.Machine.StartAsync(Cancellation);

        await (await test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(s_limit, Cancellation)).DisposeAsync();
    }

    [Fact]
    public async Task Create_KernelThatIsMissing_NamesIt()
    {
        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(
            () => TestMachine.CreateAsync(Driver, Config with { KernelPath = "/nowhere/vmlinuz" }));

        Assert.Contains("'/nowhere/vmlinuz'", error.Message);
    }

    [Fact]
    public async Task Stop_RunningMachine_EndsItOnRequest()
    {
        await using TestMachine test = await TestMachine.CreateAsync(Driver, Config);
        await test.Machine.StartAsync(Cancellation);
        IReadOnlyList<int> processes = test.Machine.ProcessIds;

        await test.Machine.StopAsync(Cancellation).WaitAsync(s_limit, Cancellation);
        await test.Machine.StopAsync(Cancellation);

        Assert.True((await test.Machine.Exited).Requested);
        Assert.All(processes, static id => Assert.False(Directory.Exists($"/proc/{id}")));
    }

    [Fact]
    public async Task Dispose_MachineThatNeverStarted_EndsWhoeverWaitsForIt()
    {
        TestMachine test = await TestMachine.CreateAsync(Driver, Config);
        Task<VirtualMachineExit> exited = test.Machine.Exited;
        await test.DisposeAsync();

        Assert.True((await exited.WaitAsync(s_limit, Cancellation)).Requested);
    }

    [Fact]
    public async Task Exited_ProcessThatIsKilled_SaysWhichComponent()
    {
        await using TestMachine test = await TestMachine.CreateAsync(Driver, Config);
        await test.Machine.StartAsync(Cancellation);

        Assert.Equal(0, LibC.kill(test.Machine.ProcessId, Signals.SIGKILL));
        VirtualMachineExit exit = await test.Machine.Exited.WaitAsync(s_limit, Cancellation);

        Assert.False(exit.Requested);
        Assert.Contains("signal 9", exit.Reason);
        Assert.Contains(exit.Component, exit.Reason);
        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(() => test.Machine.ConnectAgentAsync(Cancellation));
        Assert.Contains(exit.Reason, error.Message);
    }

    [Fact]
    public virtual async Task Connect_GuestThatPanics_SaysSo()
    {
        // With its initial file system, but without what is to run: not every firmware boots a kernel alone.
        string parameters = $"{Config.KernelParameters} rdinit=/nowhere";
        await using TestMachine test = await TestMachine.CreateAsync(Driver, Config with { KernelParameters = parameters });
        await test.Machine.StartAsync(Cancellation);

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(
            () => test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(s_limit, Cancellation));

        Assert.Contains("the guest kernel panicked", error.Message);
        Assert.Equal("guest kernel", (await test.Machine.Exited.WaitAsync(s_limit, Cancellation)).Component);
    }

    [Fact]
    public async Task Pause_MachineThatSaysItCan_StandsStillAndGoesOn()
    {
        await using TestMachine test = await TestMachine.CreateAsync(Driver, Config);
        await test.Machine.StartAsync(Cancellation);
        Assert.Equal(Capabilities.Pause, test.Machine is IPause);
        if (test.Machine is IPause pause)
        {
            await pause.PauseAsync(Cancellation);
            Task<Stream> agent = test.Machine.ConnectAgentAsync(Cancellation);
            await Task.Delay(TimeSpan.FromSeconds(3), Cancellation); // longer than a boot takes
            Assert.False(agent.IsCompleted);

            await pause.ResumeAsync(Cancellation);
            await (await agent.WaitAsync(s_limit, Cancellation)).DisposeAsync();
        }
    }
}
