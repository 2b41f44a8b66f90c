using System.Text;
using Kata.Linux;
using Kata.Sandbox;
using Kata.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Kata.Service.Tests;

/// <summary>Streams on this host's files and programs; the container is the test.</summary>
public sealed class ContainerdStdioTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task File_TwoContainersAfterEachOther_AreAppended()
    {
        string path = _directory.File("logs/deep/out.log");
        for (int i = 0; i < 2; i++)
        {
            await using ProcessStdio stdio = await OpenAsync($"file://{path}", "");
            await WriteAsync(stdio.Output, $"out{i}\n");
            await WriteAsync(stdio.Error, $"err{i}\n");
        }

        Assert.Equal("out0\nerr0\nout1\nerr1\n", await ReadAsync(path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task File_OfADevice_IsWrittenToo()
    {
        await using ProcessStdio stdio = await OpenAsync("file:///dev/null", "file:///dev/null");
        await WriteAsync(stdio.Error, "x");
    }

    [Fact]
    public async Task File_InPlaceOfADirectory_SaysWhich()
    {
        await File.WriteAllTextAsync(_directory.File("taken"), "", TestContext.Current.CancellationToken);
        IOException error = await Assert.ThrowsAsync<IOException>(() => OpenAsync($"file://{_directory.File("taken/x")}", ""));
        Assert.Contains("taken/x", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Binary_Logger_GetsBothStreamsArgumentsAndNames()
    {
        string program = Script("""echo "$CONTAINER_NAMESPACE $CONTAINER_ID $*" > "$2"; exec 5>&-; cat <&3 >> "$2"; cat <&4 >> "$2" """);
        string log = _directory.File("log");
        ProcessStdio stdio = await OpenAsync($"binary://{program}?--to={log}");
        await WriteAsync(stdio.Output, new string('o', 100_000) + "\n");
        await stdio.Output!.DisposeAsync();
        await WriteAsync(stdio.Error, "err\n");
        await stdio.DisposeAsync();
        await stdio.DisposeAsync();

        Assert.Equal($"ns c1 --to {log}\n{new string('o', 100_000)}\nerr\n", await ReadAsync(log));
        Assert.Empty(ProcessesOf(program));
    }

    [Fact]
    public async Task Binary_LoggerThatDied_BreaksTheStream()
    {
        string program = Script("exec 5>&-; read x <&3; kill -9 $$");
        await using ProcessStdio stdio = await OpenAsync($"binary://{program}");
        LinuxException error = await Assert.ThrowsAsync<LinuxException>(async () =>
        {
            while (true)
            {
                await WriteAsync(stdio.Output, "line\n");
            }
        });
        Assert.Equal(Errno.EPIPE, error.Errno);
    }

    [Fact]
    public async Task Binary_LoggerThatIsNeverReady_IsKilledAtItsLimit()
    {
        string program = Script("sleep 1000");
        Task<ProcessStdio> opening = OpenAsync($"binary://{program}");
        while (!opening.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        IOException error = await Assert.ThrowsAsync<IOException>(() => opening.WaitAsync(s_limit, TestContext.Current.CancellationToken));
        Assert.Contains("closed its descriptor 5 within 12 s", error.Message, StringComparison.Ordinal);
        Assert.Empty(ProcessesOf(program));
    }

    [Fact]
    public async Task Binary_LoggerThatNeverEnds_IsEndedWithItsChildren()
    {
        string program = Script("trap '' TERM; exec 5>&-; sleep 98761 & while :; do wait; done");
        ProcessStdio stdio = await OpenAsync($"binary://{program}");
        Task ending = stdio.DisposeAsync().AsTask();
        while (!ending.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await ending.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        Assert.Empty(ProcessesOf(program).Concat(ProcessesOf("98761")));
    }

    [Theory]
    [InlineData("binary:///nonexistent/logger", "", "install the program")]
    [InlineData("binary:///bin/true", "file:///x", "takes standard output and standard error together")]
    [InlineData("file:///x", "binary:///bin/true", "takes standard output and standard error together")]
    [InlineData("http://x/y", "", "its scheme is not known")]
    public async Task Open_WhatCannotBe_SaysWhy(string output, string error, string cause)
    {
        Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => OpenAsync(output, error));
        Assert.Contains(cause, ServiceStatus.TextOf(failure), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_InputThatIsNoFifo_IsRefused() => await Assert.ThrowsAsync<ArgumentException>(
        () => ContainerdStdio.OpenAsync(
            new StdioNames("file:///x", "", "", Terminal: false), static _ => throw new InvalidOperationException()));

    private Task<ProcessStdio> OpenAsync(string output, string? error = null) => ContainerdStdio.OpenAsync(
        new StdioNames("", output, error ?? output, Terminal: false),
        program => LoggerProcess.StartAsync(program, "c1", "ns", null, _time, TestContext.Current.CancellationToken));

    private string Script(string text)
    {
        string path = _directory.File("logger");
        File.WriteAllText(path, "#!/bin/sh\n" + text + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static Task WriteAsync(Stream? stream, string text) =>
        stream!.WriteAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken)
            .AsTask().WaitAsync(s_limit, TestContext.Current.CancellationToken);

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);

    private static IEnumerable<string> ProcessesOf(string program) => Directory.EnumerateFiles(
        "/proc", "cmdline", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = true })
        .Select(static file =>
        {
            try
            {
                return File.ReadAllText(file);
            }
            catch (IOException)
            {
                return ""; // it has ended
            }
        }).Where(text => text.Contains(program, StringComparison.Ordinal));
}
