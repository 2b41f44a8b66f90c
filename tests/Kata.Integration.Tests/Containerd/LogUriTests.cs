using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containerd;

/// <summary><c>ctr run --log-uri</c>: output that goes to a file or to a program, with a shim that containerd started.</summary>
public sealed class LogUriTests : IClassFixture<ContainerdFixture>
{
    private readonly ContainerdFixture _containerd;

    public LogUriTests(ContainerdFixture containerd)
    {
        ContainerdFixture.RequireContainerd();
        _containerd = containerd;
    }

    [Fact]
    public async Task File_BothStreams_AreCompleteAndAppended()
    {
        string log = Path.Combine(_containerd.DirectoryPath, "new", "container.log");
        for (int i = 0; i < 2; i++)
        {
            (await RunAsync($"file://{log}", "sh", "-c", "seq 20000; echo err >&2")).Ok();
        }

        string[] lines = await File.ReadAllLinesAsync(log, TestContext.Current.CancellationToken);
        Assert.Equal(40_002, lines.Length);
        Assert.Equal(2, lines.Count(static line => line == "err"));
        await _containerd.AssertCleanAsync();
    }

    [Fact]
    public async Task Binary_Logger_HasEverythingBeforeTheContainerIsGone()
    {
        string log = Path.Combine(_containerd.DirectoryPath, "binary.log");
        string logger = await LoggerAsync("full", """exec 5>&-; cat <&4 > "$2.err" & echo "$CONTAINER_ID" > "$2"; cat <&3 >> "$2"; wait""");
        string id = _containerd.NewId();
        (await RunAsync(id, $"binary://{logger}?--to={log}", ["sh", "-c", "seq 200000; echo err >&2"])).Ok();

        string[] lines = await File.ReadAllLinesAsync(log, TestContext.Current.CancellationToken);
        Assert.Equal(id, lines[0]);
        Assert.Equal(Enumerable.Range(1, 200_000).Select(static number => $"{number}"), lines[1..]);
        Assert.Equal("err\n", await File.ReadAllTextAsync(log + ".err", TestContext.Current.CancellationToken));
        await _containerd.AssertCleanAsync();
    }

    [Fact]
    public async Task Binary_LoggerKilledMidStream_BreaksTheContainersPipe()
    {
        string logger = await LoggerAsync("dying", "exec 5>&-; head -c 1000 <&3 > /dev/null; kill -9 $$");
        CommandResult result = await RunAsync($"binary://{logger}", "sh", "-c", "seq 1000000; exit 7");

        Assert.NotEqual(0, result.ExitCode); // seq lost its reader; with runc it is the same
        await _containerd.AssertCleanAsync();
    }

    [Fact]
    public async Task Binary_LoggerThatIsNotThere_IsSaidAndLeavesNothing()
    {
        CommandResult result = await RunAsync("binary:///nonexistent/logger", "true");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Cannot start the logger '/nonexistent/logger'", result.Error, StringComparison.Ordinal);
        await _containerd.AssertCleanAsync();
    }

    [Fact]
    public async Task Binary_LoggerThatIsNeverReady_IsSaidAndLeavesNothing()
    {
        string logger = await LoggerAsync("silent", "sleep 100000");
        CommandResult result = await RunAsync($"binary://{logger}", "true");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("has not closed its descriptor 5 within 12 s", result.Error, StringComparison.Ordinal);
        await _containerd.AssertCleanAsync();
    }

    private Task<CommandResult> RunAsync(string uri, params string[] program) => RunAsync(_containerd.NewId(), uri, program);

    private Task<CommandResult> RunAsync(string id, string uri, string[] program) =>
        _containerd.CtrAsync(["run", "--rm", "--log-uri", uri, .. ContainerdFixture.Runtime, ContainerdFixture.Image, id, .. program]);

    private async Task<string> LoggerAsync(string name, string script)
    {
        string path = Path.Combine(_containerd.DirectoryPath, $"logger-{name}");
        await File.WriteAllTextAsync(path, $"#!/bin/sh\n{script}\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
