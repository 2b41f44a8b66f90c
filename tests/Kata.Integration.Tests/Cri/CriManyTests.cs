using System.Globalization;
using System.Net.Sockets;
using Kata.Integration.Tests.Containers;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Cri;

/// <summary>Many pods, many probes, and a containerd that dies under them.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriManyTests : IClassFixture<CriFixture>
{
    private const int AtOnce = 20;
    private const int OverARestart = 10;
    private const int IdleConnections = 1000;

    private readonly CriFixture _cri;

    public CriManyTests(CriFixture cri)
    {
        CriFixture.RequireCri();
        _cri = cri;
    }

    /// <summary>Seconds of probing: a minute in a soak.</summary>
    private static int Probes => ManyTests.SoakCount is null ? 15 : 60;

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Run_TwentyPodsAtOnce_AllLiveAndLeaveNothing(string handler)
    {
        CriPod[] pods = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => CriPod.RunAsync(_cri, handler)));
        ContainerStatus[] ends = await Task.WhenAll(pods.Select(static (pod, i) =>
            pod.RunToEndAsync("main", ["sh", "-c", string.Create(CultureInfo.InvariantCulture, $"echo pod {i}; exit {i}")])));

        Assert.Equal(Enumerable.Range(0, AtOnce), ends.Select(static end => end.ExitCode));
        for (int i = 0; i < AtOnce; i++)
        {
            await pods[i].LogBecomesAsync("main", string.Create(CultureInfo.InvariantCulture, $"pod {i}\n"));
        }

        await Task.WhenAll(pods.Select(static pod => pod.RemoveAsync()));
        await _cri.AssertCleanAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Kill_OfContainerdUnderTenPods_LosesNoPodAndNoLine(string handler)
    {
        // With the first process of a container the others are killed: the exec that makes the file has a second to end.
        const string Count = "i=0; while [ ! -e /tmp/end ]; do i=$((i+1)); echo $i; sleep 0.05; done; sleep 1; echo total $i";
        CriPod[] pods = await Task.WhenAll(Enumerable.Range(0, OverARestart).Select(_ => CriPod.RunAsync(_cri, handler)));
        string[] containers = await Task.WhenAll(pods.Select(static pod => pod.RunContainerAsync("main", ["sh", "-c", Count])));

        await _cri.KillAsync();

        ListContainersResponse list = await _cri.Client.ListContainersAsync(new ListContainersRequest());
        Assert.All(
            containers, id => Assert.Contains(list.Containers, item => item.Id == id && item.State == ContainerState.ContainerRunning));
        for (int i = 0; i < OverARestart; i++)
        {
            await pods[i].ShellAsync(containers[i], "touch /tmp/end");
            Assert.Equal(0, (await pods[i].EndedAsync(containers[i])).ExitCode);
            using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
            string[] lines;
            while (!(lines = (await pods[i].LogAsync("main")).TrimEnd('\n').Split('\n'))[^1].StartsWith("total", StringComparison.Ordinal))
            {
                // The CRI service may write the end after it has told of the exit.
                await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
            }

            Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"total {lines.Length - 1}"), lines[^1]);
            Assert.Equal(
                Enumerable.Range(1, lines.Length - 1).Select(static number => number.ToString(CultureInfo.InvariantCulture)), lines[..^1]);
        }

        await Task.WhenAll(pods.Select(static pod => pod.RemoveAsync()));
        await _cri.AssertCleanAsync();
    }

    [Fact]
    public async Task Exec_EverySecond_IsAnsweredAndLeavesTheServiceAsItWas()
    {
        string[] handlers = [CriFixture.Kata, CriFixture.Runc];
        CriPod[] pods = await Task.WhenAll(handlers.Select(handler => CriPod.RunAsync(_cri, handler)));
        string[] containers = await Task.WhenAll(pods.Select(static pod => pod.RunContainerAsync("main", ["sleep", "100000"])));
        int service = _cri.ServicePid(pods[0].Id);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        ProcessUsage? before = null;
        for (int i = 0; i < Probes; i++)
        {
            (int, string, string)[] answers =
                await Task.WhenAll(pods.Zip(containers, static (pod, id) => pod.ExecAsync(id, "echo", "alive")));
            Assert.All(answers, static answer => Assert.Equal((0, "alive", ""), answer));
            before ??= i == 4 ? ProcessUsage.Of(service) : null; // once it is warm
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        var after = ProcessUsage.Of(service);
        Assert.InRange(after.Descriptors, 1, before!.Descriptors + 2);
        Assert.InRange(after.Threads, 1, before.Threads + 4);
        await Task.WhenAll(pods.Select(static pod => pod.RemoveAsync()));
        await _cri.AssertCleanAsync();
    }

    [Fact]
    public async Task Connect_AThousandSilentClients_HinderNobody()
    {
        CriPod pod = await CriPod.RunAsync(_cri, CriFixture.Kata);
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"]);
        string socket = Directory.EnumerateFiles(_cri.Root, "task.sock", SearchOption.AllDirectories).Single();
        int service = _cri.ServicePid(pod.Id);
        int before = ProcessUsage.Of(service).Descriptors;
        var silent = new List<Socket>();
        try
        {
            for (int i = 0; i < IdleConnections; i++)
            {
                var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                silent.Add(client);
                await client.ConnectAsync(new UnixDomainSocketEndPoint(socket), TestContext.Current.CancellationToken);
                if (i % 2 == 0)
                {
                    await client.SendAsync(new byte[] { 0, 0, 1 }, TestContext.Current.CancellationToken); // a header that never ends
                }
            }

            Assert.Equal((0, "alive", ""), await pod.ExecAsync(id, "echo", "alive"));
        }
        finally
        {
            silent.ForEach(static client => client.Dispose());
        }

        Assert.Equal((0, "alive", ""), await pod.ExecAsync(id, "echo", "alive"));
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (ProcessUsage.Of(service).Descriptors > before + 4)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        await pod.EndAsync();
    }
}
