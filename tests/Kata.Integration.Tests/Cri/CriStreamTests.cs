using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Cri;

/// <summary><c>kubectl exec</c> and <c>kubectl attach</c>: input, output, terminals, and clients that come and go.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriStreamTests : IClassFixture<CriFixture>
{
    private readonly CriFixture _cri;

    public CriStreamTests(CriFixture cri)
    {
        CriFixture.RequireCri();
        _cri = cri;
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Exec_WithInput_StreamsAndTellsTheExitCode(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"]);
        await using (CriStream stream = await ExecAsync(id, tty: false, "sh", "-c", "read line; echo got $line; echo wrong >&2; exit 4"))
        {
            await stream.WriteAsync("hello\n");
            await stream.ReadToEndAsync();
            Assert.Equal("got hello\n", stream.Out);
            Assert.Equal("wrong\n", stream.Err);
            Assert.Contains("\"ExitCode\",\"message\":\"4\"", stream.End, StringComparison.Ordinal);
        }

        await pod.EndAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Exec_WithATerminal_FollowsItsSize(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"]);
        await using (CriStream stream = await ExecAsync(id, tty: true, "sh"))
        {
            await stream.WriteAsync("tty; echo first-$((40+2))\n");
            await stream.ReadUntilAsync("first-42");
            Assert.Contains("/dev/pts/", stream.Out, StringComparison.Ordinal);
            await stream.ResizeAsync(99, 33);
            await stream.WriteAsync("while [ \"$(stty size)\" != '33 99' ]; do sleep 0.1; done; echo size-$((1+1))\n");
            await stream.ReadUntilAsync("size-2");
            await stream.WriteAsync("exit 6\n");
            await stream.ReadToEndAsync();
            Assert.Contains("\"message\":\"6\"", stream.End, StringComparison.Ordinal);
        }

        await pod.EndAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Attach_AgainAfterAClientWentAway_FindsTheSameProcess(string handler)
    {
        // containerd attaches the input before the output: what is answered between the two, this client does not see. And on a busy host,
        // with runc as well, it may end the client's stream before it has sent what a container wrote right before its end.
        const string Script =
            "while :; do if read -t 1 line; then echo you said $line; [ $line = end ] && sleep 1 && exit 8; else echo ready; fi; done";
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.RunContainerAsync("main", ["sh", "-c", Script], static config => config.Stdin = true);
        foreach (string word in new[] { "one", "two" })
        {
            await using CriStream stream = await AttachAsync(id);
            await stream.ReadUntilAsync("ready");
            await stream.WriteAsync(word + "\n");
            await stream.ReadUntilAsync($"you said {word}");
        }

        await using (CriStream stream = await AttachAsync(id))
        {
            await stream.ReadUntilAsync("ready");
            await stream.WriteAsync("end\n");
            await stream.ReadUntilAsync("you said end");
        }

        Assert.Equal(8, (await pod.EndedAsync(id)).ExitCode);
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        string log;
        while (!(log = await pod.LogAsync("main")).EndsWith("you said end\n", StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        Assert.Equal("you said one\nyou said two\nyou said end\n", log.Replace("ready\n", "", StringComparison.Ordinal));
        await pod.EndAsync();
    }

    private async Task<CriStream> ExecAsync(string container, bool tty, params string[] command)
    {
        var request = new ExecRequest { ContainerId = container, Cmd = { command }, Tty = tty, Stdin = true, Stdout = true, Stderr = !tty };
        return await CriStream.OpenAsync(_cri, (await _cri.Client.ExecAsync(request)).Url);
    }

    private async Task<CriStream> AttachAsync(string container) =>
        await CriStream.OpenAsync(
            _cri,
            (await _cri.Client.AttachAsync(new AttachRequest { ContainerId = container, Stdin = true, Stdout = true, Stderr = true })).Url);
}
