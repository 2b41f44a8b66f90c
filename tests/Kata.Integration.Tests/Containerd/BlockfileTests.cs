using Kata.Integration.Tests.Harness;
using Kata.Integration.Tests.Storages;

namespace Kata.Integration.Tests.Containerd;

/// <summary>containerd's snapshotter "blockfile": the root file system of each container is an image of its own.</summary>
[Collection(ContainersGroup.Name)]
public sealed class BlockfileTests : IClassFixture<BlockfileTests.Fixture>
{
    private static readonly string[] s_run = ["--snapshotter", "blockfile", .. ContainerdFixture.Runtime];

    private readonly Fixture _containerd;

    public BlockfileTests(Fixture containerd)
    {
        ContainerdFixture.RequireContainerd();
        Assert.SkipWhen(containerd.Missing is not null, containerd.Missing ?? "");
        _containerd = containerd;
    }

    [Fact]
    public async Task Run_ImageInABlockfile_IsADiskOfTheGuest()
    {
        CommandResult run = await _containerd.CtrAsync([
            "run", "--rm", .. s_run, ContainerdFixture.Image, _containerd.NewId(), "sh",
            "-c", "grep -c '^/dev/vd. / ext4 rw' /proc/mounts; id -u; echo x > /file && cat /file",
        ]);
        Assert.Equal((0, "1\n0\nx"), (run.ExitCode, run.Text));

        CommandResult view = await _containerd.CtrAsync([
            "run", "--rm", "--read-only", .. s_run, ContainerdFixture.Image, _containerd.NewId(), "sh", "-c", "echo x > /file",
        ]);
        Assert.NotEqual(0, view.ExitCode);
        Assert.Contains("Read-only file system", view.Error, StringComparison.Ordinal);
        await _containerd.AssertCleanAsync();
    }

    /// <summary>What a container wrote is in its image when its task is deleted, and the next task of it finds that.</summary>
    [Fact]
    public async Task Run_TaskAfterTask_HasWhatTheFirstWrote()
    {
        string id = _containerd.NewId();
        (await _containerd.CtrAsync([
            "run", "--detach", .. s_run, ContainerdFixture.Image, id, "sh", "-c", "echo run >> /runs; sleep 100000",
        ])).Ok();
        await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e", id, "sh", "-c", "until test -s /runs; do :; done");
        await _containerd.CtrAsync("tasks", "delete", "--force", id); // its own status is that of the container: 137
        (await _containerd.CtrAsync("tasks", "start", "--detach", id)).Ok();
        Assert.Equal("run", (await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e", id, "head", "-n", "1", "/runs")).Ok().Text);
        await _containerd.CtrAsync("tasks", "delete", "--force", id);
        (await _containerd.CtrAsync("containers", "delete", id)).Ok();
        await _containerd.AssertCleanAsync();
    }

    public sealed class Fixture() : ContainerdFixture("trixie")
    {
        private protected override string CriConfiguration => $"""
            {base.CriConfiguration}
            [plugins."io.containerd.snapshotter.v1.blockfile"]
            scratch_file = "{Scratch}"
            fs_type = "ext4"
            mount_options = ["loop"]
            """;

        private string Scratch => Path.Combine(DirectoryPath, "scratch.img");

        private protected override async Task PrepareAsync()
        {
            await HostDisk.CreateAsync(DirectoryPath, Path.GetFileName(Scratch), mebibytes: 32);
            await base.PrepareAsync();
        }
    }
}
