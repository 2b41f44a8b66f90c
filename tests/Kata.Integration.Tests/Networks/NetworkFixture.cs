using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>Pods in network namespaces of the tests, which may limit their rates, and have several processors, by annotation.</summary>
public sealed class NetworkFixture : RuntimeFixture
{
    /// <summary>Has a bundle be in a network namespace.</summary>
    internal static void Network(TestBundle bundle, string path) => bundle.Linux["namespaces"]!.AsArray()
        .First(static space => space!["type"]!.GetValue<string>() == "network")!["path"] = path;

    /// <summary>Starts a pod in one, whose programs may use raw sockets, and returns its id.</summary>
    internal Task<string> StartAsync(TestNetwork network, Action<TestBundle>? edit = null) => StartSleeperAsync(bundle =>
    {
        Network(bundle, network.Path);
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            bundle.Process["capabilities"]![set]!.AsArray().Add((JsonNode)"CAP_NET_RAW");
        }

        edit?.Invoke(bundle);
    });

    /// <summary>Deletes a pod.</summary>
    internal async Task DeleteAsync(string pod) => (await RunAsync("delete", "--force", pod)).Ok();

    /// <summary>What a script in a pod writes; it has to succeed.</summary>
    internal async Task<string> ShellAsync(string pod, string script) => (await ExecShellAsync(pod, script)).Ok().Text;

    /// <summary>Waits until what a script in a pod writes has a text, or has it no more.</summary>
    internal async Task UntilAsync(string pod, string script, string text, bool there)
    {
        string seen = "";
        for (int attempt = 0; attempt < 20; attempt++) // each takes as long as an exec, which is most of what a change may take here
        {
            seen = await ShellAsync(pod, script);
            if (seen.Contains(text, StringComparison.Ordinal) == there)
            {
                return;
            }
        }

        Assert.Fail($"'{text}' is {(there ? "not " : "still ")}in: {seen}");
    }

    /// <summary>How often the log says something, once it has been said and two seconds have passed without another time.</summary>
    internal async Task<int> SettledAsync(string text)
    {
        int count = 0;
        using var limit = new CancellationTokenSource(Limit);
        for (int before = -1; count == 0 || count != before;)
        {
            before = count;
            await Task.Delay(TimeSpan.FromSeconds(2), limit.Token);
            count = (await File.ReadAllTextAsync(Log, limit.Token)).Split(text).Length - 1;
        }

        return count;
    }

    private protected override Task PrepareAsync() => File.WriteAllTextAsync(
        ConfigurationFile,
        """
        [hypervisor.qemu]
        default_memory = 256
        enable_annotations = ["^[rt]x_rate_limiter_max_rate$", "^default_vcpus$"]
        [kata]
        boot_timeout = 240
        request_timeout = 120

        """);
}
