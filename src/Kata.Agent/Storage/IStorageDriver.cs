namespace Kata.Agent.Storage;

/// <summary>One kind of storage that the host may name: one class a driver. Thread-safe.</summary>
internal interface IStorageDriver
{
    /// <summary>As the host names it in <c>Storage.driver</c>.</summary>
    string Name { get; }

    /// <summary>Brings the storage to its place. The caller owns what is returned; of an attempt that fails nothing is left.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: the storage is not as this driver takes it.</exception>
    /// <exception cref="Kata.Linux.LinuxException">The kernel refused.</exception>
    Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken);
}
