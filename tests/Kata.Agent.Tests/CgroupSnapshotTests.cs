using Kata.Agent.Cgroups;

namespace Kata.Agent.Tests;

/// <summary>
/// With ordinary files in place of the kernel's: what is kept and put back. What the kernel refuses is tested in a guest.
/// </summary>
public sealed class CgroupSnapshotTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kata-").FullName;
    private readonly Cgroup _cgroup;

    public CgroupSnapshotTests()
    {
        _cgroup = new Cgroup("/x", _directory);
        Write("memory.max", "max\n");
        Write("cpu.max", "max 100000\n");
        Write("cpuset.cpus", "");
        Write("memory.high", "max\n");
        Write("cgroup.procs", "1\n");
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Restore_PutsBackWhatChanged()
    {
        var before = CgroupSnapshot.Take(_cgroup, ["memory.high"]);
        Write("memory.max", "1000\n");
        Write("cpuset.cpus", "0\n");
        Write("memory.high", "5\n");
        Assert.Empty(before.Restore());
        Assert.Equal(("max\n", "\n", "max\n"), (Read("memory.max"), Read("cpuset.cpus"), Read("memory.high")));
    }

    [Fact]
    public void Restore_NothingChanged_WritesNothing()
    {
        var before = CgroupSnapshot.Take(_cgroup, []);
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(_directory, "memory.max"));
        Assert.Empty(before.Restore());
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(_directory, "memory.max")));
    }

    [Theory]
    [InlineData("cgroup.procs")]
    [InlineData("../x")]
    [InlineData("none.max")]
    public void Take_WhatIsNoLimit_IsLeftAlone(string file)
    {
        var before = CgroupSnapshot.Take(_cgroup, [file]);
        Write("cgroup.procs", "2\n");
        Assert.Empty(before.Restore());
        Assert.Equal("2\n", Read("cgroup.procs"));
    }

    [Fact]
    public void Restore_FileIsGone_IsTold()
    {
        var before = CgroupSnapshot.Take(_cgroup, []);
        File.Delete(Path.Combine(_directory, "memory.max"));
        Directory.CreateDirectory(Path.Combine(_directory, "memory.max"));
        Assert.Equal(["memory.max"], before.Restore());
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_directory, file), text);

    private string Read(string file) => File.ReadAllText(Path.Combine(_directory, file));
}
