using Kata.Agent.Processes;
using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Tests;

public sealed class ProcFilesTests
{
    private const string Stat = "42 (sh) S 1 42 40 34817 42 4194304 1 0 0 0 150 50 0 0 20 -5 3 0 1000 4194304 10 18446744073709551615";
    private const string Status = "Name:\tsh\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNSpid:\t42\t7\t2\nNSpgid:\t42\t7\t2\nNSsid:\t40\t1\t0\n";

    [Theory]
    [InlineData(0, 42, 42, 40)]
    [InlineData(1, 7, 7, 1)]
    [InlineData(2, 2, 2, 0)]
    [InlineData(int.MaxValue, 2, 2, 0)]
    public void Parse_NestedNamespaces_NumbersOfTheContainers(int level, int pid, int group, int session)
    {
        GuestProcess process = ProcFiles.Parse(42, Stat, Status, "sh\0"u8, level)!;
        Assert.Equal((pid, 42, group, session), (process.Pid, process.GuestPid, process.GroupId, process.SessionId));
    }

    [Fact]
    public void Parse_WhatPsShows_IsThere()
    {
        GuestProcess process = ProcFiles.Parse(42, Stat, Status, "sh\0"u8, 1)!;
        Assert.Equal(
            ("sh", 2u, 6u, 34817, true, -5),
            (process.Name, process.Uid, process.Gid, process.Terminal, process.Foreground, process.Nice));
        Assert.Equal((4194304ul, 10ul * (ulong)Environment.SystemPageSize), (process.VirtualBytes, process.ResidentBytes));
    }

    [Fact]
    public async Task DescendantsOf_ProcessWithGrandchild_HasBoth()
    {
        Kata.Linux.ChildProcess child = Kata.Linux.ChildProcess.Start(new Kata.Linux.SpawnOptions
        {
            Path = "/bin/sh",
            Arguments = ["sh", "-c", "sleep 1000 & wait"],
            Environment = ["PATH=/usr/bin:/bin"],
            NewSession = true,
        });
        try
        {
            List<int> found;
            while ((found = ProcFiles.DescendantsOf(child.Pid)).Count == 0)
            {
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            Assert.Contains(child.Pid, ProcFiles.DescendantsOf(Environment.ProcessId));
            Assert.Contains(found[0], ProcFiles.DescendantsOf(Environment.ProcessId));
            Assert.DoesNotContain(child.Pid, found);
        }
        finally
        {
            _ = Kata.Linux.Interop.LibC.kill(-child.Pid, Kata.Linux.Signals.SIGKILL); // its whole session
            await child.Exited;
        }
    }

    [Fact]
    public void DescribeAll_OurselvesAndNobody_ListsOnce()
    {
        GuestProcess process = Assert.Single(ProcFiles.DescribeAll([Environment.ProcessId, int.MaxValue], Environment.ProcessId));
        Assert.Equal(Environment.ProcessId, process.GuestPid);
        Assert.Equal(0, process.ContainerParentPid); // its parent is not of the list
        Assert.InRange(process.AgeMs, 0ul, 3_600_000ul);
        Assert.InRange(process.ResidentPermille, 0u, 1000u);
    }
}
