using Kata.Runtime.Commands;

namespace Kata.Runtime.Tests;

public sealed class KataEnvCommandTests
{
    [Fact]
    public void ToToml_Document_IsTablesWithReadableStrings()
    {
        string text = KataEnvCommand.ToToml(Environment("no 'vmx' or 'svm', <none> & \"quoted\"\n"));
        Assert.Contains("[Meta]\n  Version = \"1.0.27\"\n\n[Runtime]\n", text, StringComparison.Ordinal);
        Assert.Contains("  Reason = \"no 'vmx' or 'svm', <none> & \\\"quoted\\\"\\n\"\n", text, StringComparison.Ordinal);
        Assert.Contains("  DisableGuestSeccomp = true\n", text, StringComparison.Ordinal);
        Assert.Contains("  CPUs = 2\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "[FileSharing]\n  Daemon = \"Rust 1.13.2\"\n  OpenFiles = 20000\n  MappedAppends = true\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u00", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_Document_HasReadableStrings()
    {
        string text = KataEnvCommand.ToJson(Environment("no 'vmx'"));
        Assert.Contains("\"Reason\": \"no 'vmx'\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FileSharing_ProgramThatIsNoDaemon_SaysSoAndGoesOn()
    {
        FileSharingSection section = await FileSharingSection.ReadAsync("/nowhere/virtiofsd");

        Assert.StartsWith("Cannot find virtiofsd at '/nowhere/virtiofsd'", section.Daemon, StringComparison.Ordinal);
        Assert.False(section.MappedAppends);
    }

    private static KataEnvironment Environment(string reason) => new(
        new MetaSection("1.0.27"),
        new RuntimeSection("0.1.0", "abc", "1.2.0", "/etc/c.toml", "/usr/bin/kata-runtime", true),
        new HypervisorSection("q35", "/q", "virtio-fs", "/v", "tcg", "virtio-serial", reason),
        new KernelSection("/k", "a=b", "6.1.0-57-cloud-amd64"),
        new AssetSection("/i", ""),
        new FileSharingSection("Rust 1.13.2", 20000, true, true, false, false, false),
        new HostSection("6.1", "x64", "Debian", 2, true, false));
}
