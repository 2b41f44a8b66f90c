using System.Globalization;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>Many machines, at once and one after the other. <c>KATA_TEST_SOAK</c> makes the sequence longer.</summary>
[Collection(ContainersGroup.Name)]
public sealed class ManyTests : IClassFixture<RuntimeFixture>
{
    private const int AtOnce = 20;
    private const int WarmUp = 10; // until pools and caches have their sizes
    private const int MemoryMibOfOne = 400; // 256 for the guest, the rest for QEMU

    private readonly RuntimeFixture _runtime;

    public ManyTests(RuntimeFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    /// <summary>How often a soak repeats; null: this is none.</summary>
    internal static int? SoakCount { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("KATA_TEST_SOAK"), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? count
            : null;

    /// <summary>How many in sequence.</summary>
    internal static int Sequence => SoakCount ?? 50;

    [Fact]
    public async Task Run_TwentyAtOnce_EachEndsWellAndNothingIsLeft()
    {
        long availableMib = AvailableMib();
        Assert.SkipWhen(availableMib < AtOnce * MemoryMibOfOne, $"needs {AtOnce * MemoryMibOfOne} MiB of free memory, has {availableMib}");

        CommandResult[] results = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async i =>
            await _runtime.RunAsync(
                ["run", "--bundle", _runtime.NewBundle().Args("echo", $"container {i}").Write(), NewId()],
                default,
                TimeSpan.FromMinutes(5))));

        Assert.All(results, static result => result.Ok());
        Assert.Equal(Enumerable.Range(0, AtOnce).Select(static i => $"container {i}"), results.Select(static result => result.Text));
        await _runtime.AssertCleanAsync();
    }

    [Fact]
    public async Task Run_ManyInSequence_LeaveNothing()
    {
        int mounts = File.ReadAllLines("/proc/self/mountinfo").Length;
        for (int i = 0; i < Sequence; i++)
        {
            string id = NewId();
            if (i % 2 == 0)
            {
                (await _runtime.RunAsync("run", "--bundle", _runtime.NewBundle().Args("true").Write(), id)).Ok();
                continue;
            }

            (await _runtime.RunDetachedAsync("create", "--bundle", _runtime.NewBundle().Args("sleep", "100000").Write(), id)).Result.Ok();
            (await _runtime.RunAsync("start", id)).Ok();
            (await _runtime.ExecAsync(id, "true")).Ok();
            (await _runtime.RunAsync("delete", "--force", id)).Ok();
        }

        await _runtime.AssertCleanAsync();
        Assert.Equal(mounts, File.ReadAllLines("/proc/self/mountinfo").Length);
    }

    [Fact]
    public async Task Cycle_ManyInOnePod_LeaveTheServiceAsItWas()
    {
        string pod = NewId();
        (await _runtime.RunDetachedAsync(
            "run", "--detach", "--bundle", _runtime.NewBundle().AsPod().Args("sleep", "100000").Write(), pod)).Result.Ok();
        int service = _runtime.ServicePid(pod);
        await CycleAsync(pod, WarmUp);
        ProcessUsage before = ProcessUsage.Of(service);

        await CycleAsync(pod, Sequence / 2);

        var after = ProcessUsage.Of(service);
        TestContext.Current.TestOutputHelper?.WriteLine($"after {WarmUp} cycles {before}, after {Sequence / 2} more {after}");
        Assert.InRange(after.Descriptors, 1, before.Descriptors + 2);
        Assert.InRange(after.Threads, 1, before.Threads + 4); // pool threads come and go
        Assert.InRange(after.PrivateDirtyKib, 1, before.PrivateDirtyKib + 1536);
        (await _runtime.RunAsync("delete", "--force", pod)).Ok();
        await _runtime.AssertCleanAsync();
    }

    private async Task CycleAsync(string pod, int count)
    {
        for (int i = 0; i < count; i++)
        {
            string id = NewId();
            string bundle = _runtime.NewBundle().InPod(pod).Args("sleep", "100000").Write();
            (await _runtime.RunDetachedAsync("create", "--bundle", bundle, id)).Result.Ok();
            (await _runtime.RunAsync("start", id)).Ok();
            (await _runtime.ExecAsync(id, "true")).Ok();
            (await _runtime.RunAsync("delete", "--force", id)).Ok();
            Directory.Delete(bundle, recursive: true);
        }
    }

    private static long AvailableMib()
    {
        string line = File.ReadLines("/proc/meminfo").First(static line => line.StartsWith("MemAvailable:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private string NewId()
    {
        lock (_runtime)
        {
            return _runtime.NewId();
        }
    }
}
