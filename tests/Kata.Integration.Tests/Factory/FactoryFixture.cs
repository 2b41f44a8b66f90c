using System.Globalization;
using System.Text.RegularExpressions;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Factory;

/// <summary>A runtime whose configuration has a pool of one machine.</summary>
public sealed partial class FactoryFixture : RuntimeFixture
{
    internal string Endpoint => Path.Combine(DirectoryPath, "cache.sock");

    /// <summary>The state root of what waits.</summary>
    internal string Pool => Path.Combine(DirectoryPath, "cache");

    /// <summary>The line of <c>factory status</c> that counts.</summary>
    internal async Task<(int Waiting, int Wanted, int Taken, int NotFound)> CountsAsync()
    {
        string text = (await RunAsync("factory", "status")).Ok().Text;
        Match match = Counts().Match(text);
        Assert.True(match.Success, text);
        return (Number(1), Number(2), Number(3), Number(4));

        int Number(int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until the pool is full again.</summary>
    internal async Task FullAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        while (await CountsAsync() is var counts && counts.Waiting != counts.Wanted)
        {
            await Task.Delay(200, limit.Token); // nobody outside is told
        }
    }

    /// <summary>The processes of what waits: service, machine, virtiofsd.</summary>
    internal IReadOnlyList<(int Pid, string Command)> PoolProcesses() => HostSnapshot.GroupedProcesses(Pool);

    /// <summary>Nothing waits, and nothing is left of what did.</summary>
    internal async Task AssertPoolGoneAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        foreach ((int pid, string _) in PoolProcesses())
        {
            await HostProcess.EndedAsync(pid, limit.Token);
        }

        Assert.Empty(Directory.GetFileSystemEntries(Pool));
        Assert.Empty(PoolProcesses());
    }

    private protected override async Task PrepareAsync()
    {
        await File.AppendAllTextAsync(ConfigurationFile, $"[factory]\nvm_cache_number = 1\nvm_cache_endpoint = \"{Endpoint}\"\n");
        (await RunAsync("factory", "init")).Ok();
    }

    private protected override async Task CleanUpAsync()
    {
        (await RunAsync("factory", "destroy")).Ok();
        await AssertPoolGoneAsync();
    }

    [GeneratedRegex("^Waiting = ([0-9]+) of ([0-9]+), taken = ([0-9]+), not found = ([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex Counts();
}
