using Grpc.Core;
using Kata.Agent.Cgroups;
using Kata.Agent.Containers;
using Kata.Agent.Stdio;
using Kata.Linux;

namespace Kata.Agent.Tests;

/// <summary>The names of a container's processes.</summary>
public sealed class ContainerTests : IDisposable
{
    private readonly Container _container = new(ContainerId.Parse("c1"), "/nowhere", new Cgroup("/nowhere"));
    private readonly TaskCompletionSource<ExitStatus> _exited = new();

    public void Dispose() => _container.Dispose();

    [Fact]
    public void Reserve_ProcessRuns_IsRefused()
    {
        Start("e1", _exited.Task);
        Assert.Equal(
            StatusCode.AlreadyExists,
            Assert.Throws<RpcException>(() => _container.Reserve("e1", new Beginning(CancellationToken.None))).StatusCode);
    }

    [Fact]
    public void Reserve_ProcessStarts_IsRefused()
    {
        _container.Reserve("e1", new Beginning(CancellationToken.None));
        Assert.Equal(
            StatusCode.AlreadyExists,
            Assert.Throws<RpcException>(() => _container.Reserve("e1", new Beginning(CancellationToken.None))).StatusCode);
        _container.Settle("e1", null); // it failed
        _container.Reserve("e1", new Beginning(CancellationToken.None));
    }

    [Fact]
    public async Task Reserve_ProcessHasEnded_TheNameIsFreeAndStaysTheNewOnes()
    {
        ContainerProcess first = Start("e1", _exited.Task);
        _exited.SetResult(new ExitStatus(0, null));
        await first.Exited;
        ContainerProcess second = Start("e1", new TaskCompletionSource<ExitStatus>().Task);
        first.Waited = true;
        _container.Collect(first); // late: it is no longer the one of that name
        Assert.Same(second, _container.Get("e1"));
    }

    [Fact]
    public async Task Settle_CalledOffMeanwhile_DoesNotKeepTheProcess()
    {
        using var beginning = new Beginning(CancellationToken.None);
        _container.Reserve("e1", beginning);
        Task calledOff = _container.FindStarting("e1")!.CallOffAsync(CancellationToken.None);
        Assert.True(beginning.Token.IsCancellationRequested);
        using var process = new ContainerProcess("e1", Environment.ProcessId, ProcessStdio.CreatePipes(), _exited.Task);

        Assert.False(_container.Settle("e1", process));

        Assert.Null(_container.Find("e1"));
        Assert.Null(_container.FindStarting("e1"));
        Assert.False(calledOff.IsCompleted); // until its maker has ended it
        beginning.Dispose();
        await calledOff;
    }

    [Fact]
    public void Settle_CallersDeadlineHasPassed_DoesNotKeepTheProcess()
    {
        using var call = new CancellationTokenSource();
        using var beginning = new Beginning(call.Token);
        _container.Reserve("e1", beginning);
        call.Cancel();
        using var process = new ContainerProcess("e1", Environment.ProcessId, ProcessStdio.CreatePipes(), _exited.Task);
        Assert.False(_container.Settle("e1", process));
    }

    [Fact]
    public async Task TryAdd_CreationWasCalledOff_IsRefused()
    {
        var table = new ContainerTable();
        using var beginning = new Beginning(CancellationToken.None);
        table.Reserve(_container.Id, beginning);
        Task calledOff = table.FindStarting("c1")!.CallOffAsync(CancellationToken.None);

        Assert.False(table.TryAdd(_container));

        table.Remove(_container.Id);
        beginning.Dispose();
        await calledOff;
        Assert.Null(table.Find("c1"));
        table.Reserve(_container.Id, new Beginning(CancellationToken.None)); // the name is free again
    }

    [Theory]
    [InlineData("web", "web")]
    [InlineData(".web", "~web")] // no keyring may be called so, and crun makes one of the name
    [InlineData("..web", "~.web")]
    [InlineData("...", "~..")]
    public void ContainerId_RuncsRule_IsTaken(string text, string crunName) => Assert.Equal(crunName, ContainerId.Parse(text).CrunName);

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("~web")]
    [InlineData("a b")]
    public void ContainerId_NoName_IsRefused(string text) =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => ContainerId.Parse(text)).StatusCode);

    private ContainerProcess Start(string execId, Task<ExitStatus> exited)
    {
        _container.Reserve(execId, new Beginning(CancellationToken.None));
        var process = new ContainerProcess(execId, Environment.ProcessId, ProcessStdio.CreatePipes(), exited);
        _container.Settle(execId, process);
        return process;
    }
}
