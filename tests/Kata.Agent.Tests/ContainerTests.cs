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
        Assert.Equal(StatusCode.AlreadyExists, Assert.Throws<RpcException>(() => _container.Reserve("e1")).StatusCode);
    }

    [Fact]
    public void Reserve_ProcessStarts_IsRefused()
    {
        _container.Reserve("e1");
        Assert.Equal(StatusCode.AlreadyExists, Assert.Throws<RpcException>(() => _container.Reserve("e1")).StatusCode);
        _container.Settle("e1", null); // it failed
        _container.Reserve("e1");
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

    private ContainerProcess Start(string execId, Task<ExitStatus> exited)
    {
        _container.Reserve(execId);
        var process = new ContainerProcess(execId, Environment.ProcessId, ProcessStdio.CreatePipes(), exited);
        _container.Settle(execId, process);
        return process;
    }
}
