using System.Text;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Storage;

namespace Kata.Integration.Tests.Hypervisor;

public sealed class AgentChannelTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ConnectAgent_GuestOpensItsPort_Connects()
    {
        await using TestMachine test = await TestMachine.CreateAsync(TestMachine.Config() with { InitrdPath = GuestFiles.Initrd, MemoryMib = 512 });
        await test.Machine.StartAsync(Cancellation);

        await using Stream agent = await test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(TestMachine.BootLimit, Cancellation);

        Assert.False(test.Machine.Exited.IsCompleted);
    }

    /// <summary>Needs a guest that offers a shell on its channel and mounts <c>kataShared</c> at <c>/mnt</c> for <c>test.fs</c>.</summary>
    [Fact]
    public async Task Share_MountAddedWhileTheGuestRuns_IsSeenAndReadOnlyHolds()
    {
        string? initrd = Environment.GetEnvironmentVariable("KATA_TEST_SHELL_INITRD");
        Assert.SkipWhen(initrd is null, "needs KATA_TEST_SHELL_INITRD, a guest with a shell on its channel");
        GuestFiles.RequireRoot();
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kata-test-");
        using (SharedDirectory share = SharedDirectory.Create(Path.Combine(directory.FullName, "shared")))
        await using (VirtioFsDaemon daemon = VirtioFsDaemon.Start(new VirtioFsDaemonOptions
        {
            Path = "/usr/lib/qemu/virtiofsd",
            SourceDirectory = share.Path,
            SocketDirectory = directory.FullName,
        }))
        {
            await using TestMachine test = await TestMachine.CreateAsync(
                TestMachine.Config("test.fs") with { InitrdPath = initrd, MemoryMib = 512, SharedFilesystems = [new SharedFilesystem("kataShared")] },
                new Dictionary<string, SafeFileDescriptor> { ["kataShared"] = daemon.TakeClientSocket() });
            await test.Machine.StartAsync(Cancellation);
            await using Stream agent = await test.Machine.ConnectAgentAsync(Cancellation).WaitAsync(TestMachine.BootLimit, Cancellation);

            string source = Directory.CreateDirectory(Path.Combine(directory.FullName, "rootfs")).FullName;
            await File.WriteAllTextAsync(Path.Combine(source, "hello"), "from the host", Cancellation);
            share.AddMount(DetachedMount.Of(source, recursive: true), "c1/rootfs", readOnly: false);
            share.AddMount(DetachedMount.Of(source, recursive: true), "c2/rootfs", readOnly: true);
            share.AddMount(DetachedMount.Of(Path.Combine(source, "hello"), recursive: true), "c1/hosts", readOnly: true);

            Assert.Equal("from the host", await RunAsync(agent, "cat /mnt/c1/rootfs/hello"));
            Assert.Equal("from the host", await RunAsync(agent, "cat /mnt/c1/hosts"));
            Assert.Equal("7", await RunAsync(agent, "touch /mnt/c1/rootfs/new; chown 7:8 /mnt/c1/rootfs/new; stat -c %u /mnt/c1/rootfs/new"));
            Assert.Contains("Read-only file system", await RunAsync(agent, "touch /mnt/c2/rootfs/other"));
            Assert.Contains("Read-only file system", await RunAsync(agent, "(echo x > /mnt/c1/hosts)"));
            Assert.True(share.RemoveMount("c1/rootfs"));
            Assert.Equal("0", await RunAsync(agent, "ls /mnt/c1 | busybox grep -c rootfs"));

            daemon.Kill();
            VirtioFsDaemonExit exit = await daemon.Exited.WaitAsync(TestMachine.BootLimit, Cancellation);
            Assert.True(exit.Requested);
            Assert.Equal("virtiofsd was stopped on request", exit.Reason);
        }

        directory.Delete(recursive: true);
    }

    private static async Task<string> RunAsync(Stream shell, string command)
    {
        await shell.WriteAsync(Encoding.UTF8.GetBytes($"{{ {command}; }} 2>&1; echo; echo @END\n"), Cancellation);
        var text = new StringBuilder();
        byte[] buffer = new byte[1024];
        while (!text.ToString().Contains("@END", StringComparison.Ordinal))
        {
            int count = await shell.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(TestMachine.BootLimit, Cancellation);
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return text.ToString().Replace("@END", "", StringComparison.Ordinal).Trim();
    }
}
