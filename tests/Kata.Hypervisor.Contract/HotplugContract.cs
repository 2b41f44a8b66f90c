using Kata.Linux.Interop;

namespace Kata.Hypervisor.Contract;

/// <summary>The part of <see cref="DriverContract"/> about devices that come and go, on one machine whose guest is up.</summary>
public abstract class HotplugContract : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TestMachine.BootLimit;

    private TestMachine _test = null!;
    private Stream _agent = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected abstract IHypervisorDriver Driver { get; }

    /// <inheritdoc cref="DriverContract.Config"/>
    private protected abstract MachineConfig Config { get; }

    private IDeviceHotplug Machine => Assert.IsAssignableFrom<IDeviceHotplug>(_test.Machine);

    private MachineCapabilities Capabilities => Driver.CapabilitiesOf(Config);

    public async ValueTask InitializeAsync()
    {
        var descriptors = new DeviceDescriptors();
        DiskDevice first = TestDisks.Add(descriptors, "first");
        _test = await TestMachine.CreateAsync(Driver, Config with { Devices = [.. Config.Devices, first] }, descriptors);
        await _test.Machine.StartAsync(Cancellation);
        _agent = await _test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(s_limit, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _agent.DisposeAsync();
        await _test.DisposeAsync();
    }

    [Fact]
    public async Task Plug_Disk_ComesAndGoesUnderTheSameNameAgainAndAgain()
    {
        for (int round = 0; round < 3; round++)
        {
            await PlugAsync("again", readOnly: round == 1);
            await UnplugAsync("again");
        }
    }

    [Fact]
    public Task Unplug_DiskThatWasThereFromTheStart_Goes() => UnplugAsync("first");

    [Fact]
    public async Task Plug_ByManyAtOnce_GivesEachItsOwn()
    {
        string[] names = [.. Enumerable.Range(0, 8).Select(static index => $"disk{index}")];
        await Task.WhenAll(names.Select(name => PlugAsync(name)));
        await Task.WhenAll(names.Select(UnplugAsync));
    }

    [Fact]
    public async Task Plug_MoreThanThereArePlaces_IsRefusedAndTheOthersStay()
    {
        string[] names = [.. Enumerable.Range(1, Capabilities.MaxPluggable - 1).Select(static index => $"disk{index}")];
        await Task.WhenAll(names.Select(name => PlugAsync(name)));

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(() => PlugAsync("over"));
        Assert.Contains($"{Capabilities.MaxPluggable} places", error.Message);

        await UnplugAsync(names[3]);
        await PlugAsync("over");
    }

    [Fact]
    public async Task Plug_ThatTheMonitorRefuses_LeavesTheMachineAsItWas()
    {
        using var descriptors = new DeviceDescriptors();
        var disk = new DiskDevice(new DeviceId("wrong"), ReadOnly: false, IsBlockDevice: false);
        descriptors.Add(disk.Id, TestDisks.Open(LibC.O_RDONLY)); // and is to be written to

        await Assert.ThrowsAsync<HypervisorException>(() => Machine.PlugAsync(disk, descriptors, Cancellation));

        await PlugAsync("wrong");
        await UnplugAsync("wrong");
    }

    [Fact]
    public async Task Plug_NameThatIsTaken_IsRefused()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => PlugAsync("first"));
        await UnplugAsync("first");
    }

    [Fact]
    public async Task Unplug_NameThatNobodyHas_IsRefused() =>
        Assert.Contains("'nobody'", (await Assert.ThrowsAsync<HypervisorException>(() => UnplugAsync("nobody"))).Message);

    [Fact]
    public async Task Plug_KindThatItHasOnlyFromTheStart_SaysSo()
    {
        using var descriptors = new DeviceDescriptors();
        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(
            () => Machine.PlugAsync(new ConsoleDevice(), descriptors, Cancellation));
        Assert.Contains("only before it starts", error.Message);
    }

    private async Task PlugAsync(string name, bool readOnly = false)
    {
        using var descriptors = new DeviceDescriptors();
        DiskDevice disk = TestDisks.Add(descriptors, name, readOnly);
        await Machine.PlugAsync(disk, descriptors, Cancellation).WaitAsync(s_limit, Cancellation);
    }

    private Task UnplugAsync(string name) => Machine.UnplugAsync(new DeviceId(name), Cancellation).WaitAsync(s_limit, Cancellation);
}
