using System.Text;
using System.Text.Json;
using Kata.Hypervisor.Qemu;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;
using Kata.Storage;

namespace Kata.Integration.Tests.Faults;

/// <summary>What a machine leaves open for a process that takes it over: its channels, its end, its share.</summary>
[Collection(FaultsCollection.Name)]
public sealed class ReentryTests : FaultTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Machine_WhoseServiceIsGone_IsOpenedAgainByAnother()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        string machine = Path.GetDirectoryName(Assert.Single(Directory.GetFiles(Host.Root, "monitor.sock", SearchOption.AllDirectories)))!;
        int qemu = Assert.Single(Host.PodProcesses("qemu-system-x86"));
        using PidFd process = PidFd.Open(qemu);
        Task ended = process.WaitAsync(Cancellation);
        // The agent may switch the guest off when nobody hears it: QEMU is held until the channels are open again.
        FaultHarness.Signal(qemu, Signals.SIGSTOP);
        FaultHarness.Kill(Host.ServicePid("c1"));
        await using DescriptorStream console = QemuChannel.Open(machine, "console");
        await using DescriptorStream agent = QemuChannel.Open(machine, "agent");
        await using var monitor = new QmpConnection(QemuChannel.Open(machine, "monitor"), static _ => { }, s_limit, TimeProvider.System);
        string place = AddToShare(Host.PodProcesses("virtiofsd").Min());

        FaultHarness.Signal(qemu, Signals.SIGCONT);
        await monitor.OpenAsync(Cancellation);
        JsonElement channels = await monitor.ExecuteAsync(new QmpCommand("query-chardev"), Cancellation);
        Assert.Equal(
            ["agent-channel", "console", "monitor", "share-channel"], // one that nobody has open is "disconnected:unix:…"
            channels.EnumerateArray()
                .Where(static item => item.GetProperty("filename").GetString()!.StartsWith("unix:", StringComparison.Ordinal))
                .Select(static item => item.GetProperty("label").GetString())
                .Order(StringComparer.Ordinal));
        await monitor.ExecuteAsync(QmpCommand.Quit, Cancellation);
        using var text = new StreamReader(console, Encoding.UTF8);
        await text.ReadToEndAsync(Cancellation).WaitAsync(s_limit, Cancellation); // the console ends with QEMU
        await ended.WaitAsync(s_limit, Cancellation); // seen by one that is not its parent

        Assert.Equal("there", place);
        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    // Adds to the share, looks at what the daemon sees, and takes it out again: without the namespace of the service, which is gone.
    private string AddToShare(int daemon)
    {
        string source = Path.Combine(Host.Directory, "later");
        Directory.CreateDirectory(source);
        File.WriteAllText(Path.Combine(source, "file"), "there");
        using SharedDirectory share = SharedDirectory.Open(daemon);
        using DetachedMount tree = DetachedMount.Of(source, recursive: false);
        share.Add(tree, "later", readOnly: true);
        string seen = File.ReadAllText($"/proc/{daemon}/root/later/file");
        Assert.Throws<IOException>(() => File.WriteAllText($"/proc/{daemon}/root/later/file", "other"));
        share.Remove(tree, "later");
        Assert.False(Path.Exists($"/proc/{daemon}/root/later"));
        return seen;
    }
}
