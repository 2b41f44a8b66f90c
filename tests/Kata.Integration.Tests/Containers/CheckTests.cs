using Kata.Integration.Tests.Faults;

namespace Kata.Integration.Tests.Containers;

/// <summary><c>kata-check</c>: the answer is what really happened.</summary>
public sealed class CheckTests : IAsyncLifetime
{
    private readonly FaultHarness _host = new();

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists(FaultHarness.Runtime), "needs artifacts/bin/kata-runtime; run 'make' first");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Check_HostThatCan_BootsAGuestAndLeavesNothing()
    {
        Outcome outcome = await _host.SucceedAsync("kata-check");
        Assert.Matches("^  A guest booted in [0-9.]+ s: kernel [0-9].*, agent [0-9]", outcome.Output);
        Assert.EndsWith(
            "System is capable of running Kata Containers\nSystem can currently create Kata Containers\n",
            outcome.Output,
            StringComparison.Ordinal);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Check_WithoutBoot_LooksOnly()
    {
        Outcome outcome = await _host.SucceedAsync("check", "--no-boot", "-n", "--include-all-releases", "--verbose");
        Assert.Contains("  Guest kernel: /", outcome.Output, StringComparison.Ordinal);
        Assert.Contains(" processors, 256 MiB\n", outcome.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("booted", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("System is capable", outcome.Output, StringComparison.Ordinal);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Check_StrictWithAWarning_Refuses()
    {
        await File.AppendAllTextAsync(_host.Configuration, "unheard_of = 1\n", TestContext.Current.CancellationToken);
        Outcome outcome = await _host.RunAsync("check", "--no-boot", "--strict");
        Assert.Equal(1, outcome.Code);
        Assert.Equal("ERROR: System is not capable of running Kata Containers\n", outcome.Output);
        Assert.Contains("kata-runtime: Cannot accept a warning with '--strict': ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_KernelThatIsNone_SaysWhatToDoAndLeavesNothing()
    {
        string kernel = Path.Combine(_host.Directory, "kernel");
        await File.WriteAllTextAsync(kernel, "no kernel", TestContext.Current.CancellationToken);
        _host.Configure(kata: "boot_timeout = 20", hypervisor: $"kernel = \"{kernel}\"");
        Outcome outcome = await _host.RunAsync("kata-check");
        Assert.Equal(1, outcome.Code);
        Assert.Equal("ERROR: System is not capable of running Kata Containers\n", outcome.Output);
        Assert.Contains("kata-runtime: Cannot ", outcome.Error, StringComparison.Ordinal);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Check_KernelMissing_NamesTheRemedy()
    {
        _host.Configure(hypervisor: "kernel = \"/nonexistent/vmlinuz\"");
        Outcome outcome = await _host.RunAsync("kata-check");
        Assert.Equal(1, outcome.Code);
        Assert.Contains(
            "Run 'make install' (in a clone 'make guest'), or set hypervisor.qemu.kernel", outcome.Error, StringComparison.Ordinal);
        await _host.AssertNothingLeftAsync();
    }
}
