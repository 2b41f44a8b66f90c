using System.Globalization;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>Many machines, at once and one after the other. <c>KATA_TEST_SOAK</c> makes the sequence longer.</summary>
[Collection(ContainersGroup.Name)]
public sealed class ManyTests : IClassFixture<RuntimeFixture>
{
    private const int AtOnce = 20;
    private const int MemoryMibOfOne = 400; // 256 for the guest, the rest for QEMU

    private readonly RuntimeFixture _runtime;

    public ManyTests(RuntimeFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    /// <summary>How often a soak repeats; null: this is none.</summary>
    internal static int? SoakCount { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("KATA_TEST_SOAK"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : null;

    /// <summary>How many in sequence.</summary>
    internal static int Sequence => SoakCount ?? 50;

    [Fact]
    public async Task Run_TwentyAtOnce_EachEndsWellAndNothingIsLeft()
    {
        long availableMib = AvailableMib();
        Assert.SkipWhen(availableMib < AtOnce * MemoryMibOfOne, $"needs {AtOnce * MemoryMibOfOne} MiB of free memory, has {availableMib}");

        CommandResult[] results = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async i =>
            await _runtime.RunAsync(["run", "--bundle", _runtime.NewBundle().Args("echo", $"container {i}").Write(), NewId()], default, TimeSpan.FromMinutes(5))));

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
