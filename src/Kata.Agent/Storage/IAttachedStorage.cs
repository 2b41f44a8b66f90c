namespace Kata.Agent.Storage;

/// <summary>A storage in its place. Its owner makes one call at a time, and one that succeeds is the last.</summary>
internal interface IAttachedStorage
{
    /// <summary>The guest's name of its block device; empty when it has none.</summary>
    string Device { get; }

    /// <summary>Takes it away while the guest goes on.</summary>
    /// <exception cref="Grpc.Core.RpcException">FailedPrecondition: something in the guest holds it, and nothing has changed.</exception>
    Task RemoveAsync();

    /// <summary>Takes it away at the end of what it was for. What uses it all the same keeps it until it ends.</summary>
    /// <returns>What the kernel would not unmount, or null.</returns>
    Task<string?> DetachAsync();
}
