using System.Collections.Immutable;
using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;

namespace Kata.Integration.Tests.Linux;

public sealed class HostCgroupTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KillAll_ProcessesThatFork_EndsThemAllAndRemoveLeavesNothing()
    {
        GuestFiles.RequireRoot();
        CgroupLayout layout = CgroupLayout.Read();
        CgroupHierarchy? hierarchy = layout.ForTracking.FirstOrDefault();
        Assert.SkipUnless(hierarchy is not null, "needs a control group hierarchy");
        HostCgroup group = HostCgroup.Create(hierarchy, $"/kata/test-{Environment.ProcessId}");
        (SafeFileDescriptor ours, SafeFileDescriptor theirs) = UnixSocket.Pair(nonBlocking: false);
        using SafeFileDescriptor end = ours;
        // Waits for us before it forks, so that every child is born inside.
        ChildProcess child = ChildProcess.Start(new SpawnOptions
        {
            Path = "/bin/sh",
            Arguments = ["sh", "-c", "read go; for i in 1 2 3 4 5; do sleep 1000 & done; echo up; wait"],
            Environment = ["PATH=/bin:/usr/bin"],
            Descriptors = new Dictionary<int, SafeFileDescriptor> { [0] = theirs, [1] = theirs },
        });
        theirs.Dispose();
        group.Join(child.Pid);
        await using var stream = new DescriptorStream(ours.Duplicate());
        await stream.WriteAsync("go\n"u8.ToArray(), Cancellation);
        await stream.ReadExactlyAsync(new byte[3], Cancellation).AsTask().WaitAsync(s_limit, Cancellation);
        Assert.Equal(6, group.Processes().Count);

        HostCgroup again = HostCgroup.Open(layout, group.Directory)!;
        await again.KillAllAsync(s_limit, ImmutableHashSet<int>.Empty, Cancellation);
        await again.RemoveAsync(s_limit, Cancellation);

        Assert.Equal(new ExitStatus(null, Signals.SIGKILL), await child.Exited.WaitAsync(s_limit, Cancellation));
        Assert.False(Directory.Exists(group.Directory));
        await again.RemoveAsync(s_limit, Cancellation); // idempotent
    }

    [Fact]
    public async Task Set_JoinedAndLimited_IsInEveryHierarchyAndGoesWithItsParents()
    {
        GuestFiles.RequireRoot();
        CgroupLayout layout = CgroupLayout.Read();
        string named = $"/kata-test-{Environment.ProcessId}";
        CgroupSet set = CgroupSet.Create(layout, $"{named}/kata_pod");
        Assert.SkipUnless(set.Problem is null, $"needs a control group: {set.Problem}");
        Assert.Equal(
            CgroupSet.Plan(layout, $"{named}/kata_pod").Order(StringComparer.Ordinal), set.Directories.Order(StringComparer.Ordinal));
        ChildProcess child =
            ChildProcess.Start(new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });

        set.Join(child.Pid);
        Assert.All(set.Directories, directory => Assert.Equal([$"{child.Pid}"], File.ReadAllLines($"{directory}/cgroup.procs")));

        IReadOnlyList<string> missing =
            set.Apply(new CgroupLimits { CpuShares = 512, CpuQuotaUs = 150_000, Cpus = "0", MemoryBytes = 1 << 30 });
        Assert.Empty(missing);
        Assert.Contains(Read(set, "cpu.cfs_quota_us", "cpu.max"), (string[])["150000", "150000 100000"]);
        Assert.Equal("1073741824", Read(set, "memory.limit_in_bytes", "memory.max"));
        Assert.Equal("0", Read(set, "cpuset.cpus", "cpuset.cpus"));
        LinuxException refused = Assert.Throws<LinuxException>(() => set.Apply(new CgroupLimits { Cpus = "4000" }));
        Assert.Contains("Cannot limit the pod to '4000' in '", refused.Message);

        Assert.Empty(set.Apply(CgroupLimits.None));
        Assert.Contains(Read(set, "cpu.cfs_quota_us", "cpu.max"), (string[])["-1", "max 100000"]);
        Assert.NotEqual("1073741824", Read(set, "memory.limit_in_bytes", "memory.max"));

        await set.RemoveAsync(s_limit, ImmutableHashSet<int>.Empty, Cancellation);
        Assert.Equal(new ExitStatus(null, Signals.SIGKILL), await child.Exited.WaitAsync(s_limit, Cancellation));
        Assert.All(layout.Hierarchies, hierarchy => Assert.False(Directory.Exists(hierarchy.MountPoint + named)));
    }

    /// <summary>As a kubelet makes it: the pod's group has what its containers may use; version 1 then refuses more below it.</summary>
    [Fact]
    public async Task Set_GroupAboveAllowsLess_IsBoundedByItAndFollows()
    {
        GuestFiles.RequireRoot();
        CgroupLayout layout = CgroupLayout.Read();
        string top = $"/kata-test-bounds-{Environment.ProcessId}", path = $"{top}/pod/container/kata_pod";
        CgroupSet set = CgroupSet.Create(layout, path);
        Assert.SkipUnless(set.Problem is null, $"needs a control group: {set.Problem}");
        try
        {
            Write(
                $"{top}/pod", ("cpu.cfs_quota_us", "50000"), ("cpu.max", "50000 100000"), ("memory.limit_in_bytes", "134217728"),
                ("memory.max", "134217728"));
            Assert.Equal(new CgroupBounds(0.5, 134217728), CgroupBounds.Read(layout, path));

            Assert.Empty(set.Apply(new CgroupLimits { CpuQuotaUs = 150_000, MemoryBytes = 1 << 30 }));
            Assert.Contains(Read(set, "cpu.cfs_quota_us", "cpu.max"), (string[])["-1", "max 100000"]);
            Assert.NotEqual("1073741824", Read(set, "memory.limit_in_bytes", "memory.max"));

            Assert.Empty(set.Apply(new CgroupLimits { CpuQuotaUs = 20_000, MemoryBytes = 64 << 20 })); // less is less
            Assert.Contains(Read(set, "cpu.cfs_quota_us", "cpu.max"), (string[])["20000", "20000 100000"]);
            Assert.Equal("67108864", Read(set, "memory.limit_in_bytes", "memory.max"));

            Assert.Empty(set.Apply(new CgroupLimits { CpuQuotaUs = 150_000, MemoryBytes = 1 << 30 }));
            Assert.Contains(Read(set, "cpu.cfs_quota_us", "cpu.max"), (string[])["-1", "max 100000"]);
            // What a number of ours in the group would keep a kubelet from.
            Write($"{top}/pod", ("cpu.cfs_quota_us", "10000"), ("cpu.max", "10000 100000"));
        }
        finally
        {
            await set.RemoveAsync(s_limit, ImmutableHashSet<int>.Empty, Cancellation);
            foreach (CgroupHierarchy hierarchy in layout.Hierarchies)
            {
                foreach (string group in (string[])["/pod", ""])
                {
                    _ = Kata.Linux.Interop.LibC.rmdir(hierarchy.MountPoint + top + group);
                }
            }
        }

        void Write(string group, params (string File, string Value)[] limits)
        {
            foreach ((string file, string value) in limits)
            {
                var paths = layout.Hierarchies.Select(hierarchy => $"{hierarchy.MountPoint}{group}/{file}");
                foreach (string found in paths.Where(File.Exists))
                {
                    File.WriteAllText(found, value);
                }
            }
        }
    }

    [Fact]
    public async Task Set_SparedProcessThatStays_IsKilledAfterAll()
    {
        GuestFiles.RequireRoot();
        CgroupSet set = CgroupSet.Create(CgroupLayout.Read(), $"/kata/test-spared-{Environment.ProcessId}");
        Assert.SkipUnless(set.Problem is null, $"needs a control group: {set.Problem}");
        ChildProcess child =
            ChildProcess.Start(new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });
        set.Join(child.Pid);
        await set.RemoveAsync(s_limit, new HashSet<int> { child.Pid }, Cancellation);
        Assert.Equal(new ExitStatus(null, Signals.SIGKILL), await child.Exited.WaitAsync(s_limit, Cancellation));
        Assert.All(set.Directories, static directory => Assert.False(Directory.Exists(directory)));
    }

    private static string Read(CgroupSet set, params string[] names) => File.ReadAllText(
        set.Directories.SelectMany(directory => names.Select(name => Path.Combine(directory, name))).First(File.Exists)).Trim();
}
