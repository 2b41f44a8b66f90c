namespace Kata.Hypervisor.Qemu.Tests;

public sealed class AcceleratorProbeTests
{
    [Theory]
    [InlineData(null, true, true, null, "Kvm", "Vsock", false)]
    [InlineData(null, true, true, "no vsock", "Kvm", "VirtioSerial", false)]
    [InlineData(null, true, false, null, "Tcg", "Vsock", true)]
    [InlineData("no kvm", true, true, null, "Tcg", "Vsock", true)]
    [InlineData("no kvm", true, false, "no vsock", "Tcg", "VirtioSerial", true)]
    [InlineData(null, false, false, null, "Kvm", "Vsock", false)]
    [InlineData("no kvm", false, false, null, "Tcg", "Vsock", true)]
    public void Decide_Table(
        string? kvmProblem, bool cpuNeedsFlag, bool cpuHasFlag, string? vsockProblem, string accelerator, string transport, bool warns)
    {
        AcceleratorChoice choice = AcceleratorProbe.Decide(new VirtualizationFacts
        {
            KvmProblem = kvmProblem,
            CpuNeedsFlag = cpuNeedsFlag,
            CpuHasVirtualization = cpuHasFlag,
            VhostVsockProblem = vsockProblem,
        });

        Assert.Equal((accelerator, transport), (choice.Accelerator.ToString(), choice.AgentTransport.ToString()));
        Assert.Equal(warns, choice.Warning is not null);
        Assert.Contains(vsockProblem ?? "vsock", choice.Reason);
        if (warns)
        {
            Assert.Contains(kvmProblem ?? "'vmx' nor 'svm'", choice.Warning);
        }
    }

    [Theory]
    [InlineData("flags\t\t: fpu vmx de", true)]
    [InlineData("flags\t\t: fpu svm", true)]
    [InlineData("flags : fpu vmxx nosvm", false)]
    [InlineData("vmx flags\t: fpu vmx", false)]
    [InlineData("", false)]
    public void FlagsOf_Table(string line, bool expected) =>
        Assert.Equal(expected, VirtualizationFacts.FlagsOf(["processor : 0", line]).Any(static flag => flag is "vmx" or "svm"));

    [Theory]
    [InlineData("fpu constant_tsc hypervisor", "2596.124", 2_596_124)]
    [InlineData("fpu constant_tsc", "2596.124", null)] // a host of its own: its processors change their frequency
    [InlineData("fpu hypervisor", "2596.124", null)]
    [InlineData("fpu constant_tsc hypervisor", "many", null)]
    [InlineData("fpu constant_tsc hypervisor", "0", null)]
    public void TimestampOf_Table(string flags, string megahertz, int? expected) =>
        Assert.Equal(expected, VirtualizationFacts.TimestampOf([$"cpu MHz\t\t: {megahertz}", $"flags\t\t: {flags}", "cpu MHz : 1"]));

    [Fact]
    public void Read_ThisHost_GivesAnAnswer() => Assert.NotEmpty(AcceleratorProbe.Decide(VirtualizationFacts.Read()).Reason);
}
