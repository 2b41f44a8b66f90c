using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class SandboxRecoveryTests : IDisposable
{
    // What a pod's service does: first the record, then the thing.
    private const string Service = """
        i=0
        while :
        do
          i=$((i+1))
          echo "{\"kind\":\"File\",\"value\":\"$1/$i\"}" >> "$0"
          : > "$1/$i"
        done
        """;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private static readonly SandboxId s_pod = SandboxId.Parse("p1");

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>A delete that comes during the boot: the service may have made its control group after the journal was read.</summary>
    [Fact]
    public async Task Remove_ServiceGoesOnMakingThings_NoneIsLeft()
    {
        var directories = new SandboxDirectories(_directory.File("root"));
        string things = Directory.CreateDirectory(_directory.File("things")).FullName;
        Directory.CreateDirectory(directories.Sandbox(s_pod));
        string journalPath = directories.Journal(s_pod);
        using var journal = AcquisitionJournal.Open(journalPath);
        ChildProcess service = ChildProcess.Start(new SpawnOptions
        {
            Path = "/bin/sh",
            Arguments = ["sh", "-c", Service, journalPath, things],
            Environment = ["PATH=/usr/bin:/bin"],
        });
        journal.Record(new ServiceAcquisition(ProcessIdentity.Of(service.Pid)!));
        while (!Directory.EnumerateFiles(things).Any())
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await new SandboxRecovery(directories).RemoveAsync(s_pod, TestContext.Current.CancellationToken);

        Assert.Equal(new ExitStatus(null, Signals.SIGKILL), await service.Exited.WaitAsync(s_limit, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFiles(things));
        Assert.False(Directory.Exists(directories.Sandbox(s_pod)));
    }

    /// <summary>
    /// A service that was killed after it started something and before it recorded that, on a host without control groups.
    /// </summary>
    [Fact]
    public async Task Remove_ServiceDiedBeforeItRecordedAChild_EndsThatToo()
    {
        var directories = new SandboxDirectories(_directory.File("root"));
        Directory.CreateDirectory(directories.Sandbox(s_pod));
        string pidFile = _directory.File("child");
        using var journal = AcquisitionJournal.Open(directories.Journal(s_pod));
        ChildProcess service = ChildProcess.Start(new SpawnOptions
        {
            Path = "/bin/sh",
            Arguments = ["sh", "-c", "sleep 1000 & echo $! > \"$0.new\"; mv \"$0.new\" \"$0\"; wait", pidFile],
            Environment = ["PATH=/usr/bin:/bin"],
            NewSession = true, // as a service is started
        });
        journal.Record(new ServiceAcquisition(ProcessIdentity.Of(service.Pid)!));
        while (!File.Exists(pidFile))
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        string pid = await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken);
        ProcessIdentity child = ProcessIdentity.Of(int.Parse(pid, System.Globalization.CultureInfo.InvariantCulture))!;
        service.Kill(Signals.SIGKILL);
        await service.Exited.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        Assert.True(child.IsAlive());

        await new SandboxRecovery(directories).RemoveAsync(s_pod, TestContext.Current.CancellationToken);

        Assert.False(child.IsAlive());
    }

    /// <summary>A later version made the pod: what it holds may need the rest for its own release.</summary>
    [Fact]
    public async Task Remove_KindFromTheFuture_StopsAndNamesItAndTheNextVersionFinishes()
    {
        var directories = new SandboxDirectories(_directory.File("root"));
        Directory.CreateDirectory(directories.Sandbox(s_pod));
        string thing = Directory.CreateDirectory(_directory.File("thing")).FullName;
        string journal = directories.Journal(s_pod);
        await File.WriteAllTextAsync(
            journal, $"{{\"kind\":\"Teleporter\",\"value\":\"7\"}}\n{{\"kind\":\"Directory\",\"value\":\"{thing}\"}}\n",
            TestContext.Current.CancellationToken);
        var recovery = new SandboxRecovery(directories);

        SandboxStateException error = await Assert.ThrowsAsync<SandboxStateException>(
            () => recovery.RemoveAsync(s_pod, TestContext.Current.CancellationToken));

        Assert.Contains("'p1'", error.Message);
        Assert.Contains("'Teleporter'", error.Message);
        Assert.Contains("or a later one", error.Message);
        Assert.True(Directory.Exists(thing));

        // What that version leaves when it has released its own, and was killed then.
        await File.AppendAllTextAsync(
            journal, "{\"kind\":\"Teleporter\",\"value\":\"7\",\"released\":true}\n", TestContext.Current.CancellationToken);
        await recovery.RemoveAsync(s_pod, TestContext.Current.CancellationToken);
        Assert.False(Directory.Exists(thing));
        Assert.False(Directory.Exists(directories.Sandbox(s_pod)));
    }

    /// <summary>Two remove a pod at once, and its id is taken again before the second one gets the lock.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Remove_PodIsGoneMeanwhile_LeavesALaterOneOfItsName(bool byDescriptor)
    {
        var directories = new SandboxDirectories(_directory.File("root"));
        string directory = Directory.CreateDirectory(directories.Sandbox(s_pod)).FullName;
        using SafeFileDescriptor opened = LinuxException.ThrowIfInvalid(
            LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", "open the pod's directory");
        Task second;
        using (PodLock first = (await PodLock.TakeAsync(
            directory, null, s_limit, TimeProvider.System, TestContext.Current.CancellationToken))!)
        {
            second = new SandboxRecovery(directories)
                .RemoveAsync(s_pod, byDescriptor ? opened : null, TestContext.Current.CancellationToken);
            Assert.False(second.IsCompleted);
            Directory.Delete(directory);
            Directory.CreateDirectory(directory);
            Assert.True(new ContainerIndex(directories).TryClaim(ContainerId.Parse("p1"), s_pod));
        }

        await second.WaitAsync(s_limit, TestContext.Current.CancellationToken);

        Assert.True(Directory.Exists(directory));
        Assert.Equal(s_pod, new ContainerIndex(directories).Find(ContainerId.Parse("p1")));
    }

    [Fact]
    public async Task Remove_DescriptorOfAPodThatIsGone_LeavesALaterOneOfItsName()
    {
        var directories = new SandboxDirectories(_directory.File("root"));
        string directory = Directory.CreateDirectory(directories.Sandbox(s_pod)).FullName;
        using SafeFileDescriptor opened = LinuxException.ThrowIfInvalid(
            LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", "open the pod's directory");
        Directory.Delete(directory);
        Directory.CreateDirectory(directory);

        await new SandboxRecovery(directories).RemoveAsync(s_pod, opened, TestContext.Current.CancellationToken);

        Assert.True(Directory.Exists(directory));
    }
}
