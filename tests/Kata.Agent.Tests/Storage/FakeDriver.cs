using Kata.Agent.Storage;

namespace Kata.Agent.Tests;

/// <summary>A driver whose storages come when the test says so.</summary>
internal sealed class FakeDriver : IStorageDriver, IAttachedStorage
{
    /// <summary>What attaching waits for.</summary>
    public TaskCompletionSource Arrival { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What a removal waits for.</summary>
    public TaskCompletionSource Removal { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IgnoresItsToken { get; init; }

    public bool Detached { get; private set; }

    public int Removals { get; private set; }

    public string Name => "fake";

    public string Device => "/dev/fake";

    public async Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken)
    {
        await Arrival.Task.WaitAsync(IgnoresItsToken ? CancellationToken.None : cancellationToken);
        return this;
    }

    public async Task RemoveAsync()
    {
        Removals++;
        await Removal.Task;
    }

    public Task<string?> DetachAsync()
    {
        Detached = true;
        return Task.FromResult<string?>(null);
    }
}
