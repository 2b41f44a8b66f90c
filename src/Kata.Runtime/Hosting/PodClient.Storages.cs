using Grpc.Core;
using Kata.Oci;
using Kata.Sandbox.Protocol.V1;
using StorageMessage = Kata.Sandbox.Protocol.V1.Storage;

namespace Kata.Runtime.Hosting;

/// <summary>The calls about a pod's storages, of <c>kata.sandbox.v1</c>.</summary>
internal sealed partial class PodClient
{
    /// <summary>A guest has two minutes to find a disk and mount it.</summary>
    private static readonly TimeSpan s_storageTimeout = TimeSpan.FromMinutes(3);

    /// <param name="pod">The pod's id, for errors.</param>
    /// <param name="spec">What it is to be.</param>
    public async Task<StorageMessage> AddStorageAsync(ContainerId pod, StorageSpec spec)
    {
        using AsyncUnaryCall<AddStorageResponse> call = _pod.AddStorageAsync(
            new AddStorageRequest { Spec = spec }, Options(s_storageTimeout, TimeSpan.Zero));
        return (await AwaitAsync(call, "add a storage to", pod)).Storage;
    }

    /// <param name="pod">The pod's id, for errors.</param>
    public async Task<IReadOnlyList<StorageMessage>> ListStoragesAsync(ContainerId pod)
    {
        using AsyncUnaryCall<ListStoragesResponse> call = _pod.ListStoragesAsync(new ListStoragesRequest(), Options());
        return (await AwaitAsync(call, "list the storages of", pod)).Storages;
    }

    /// <param name="pod">The pod's id, for errors.</param>
    /// <param name="name">The storage's.</param>
    public async Task RemoveStorageAsync(ContainerId pod, string name)
    {
        using AsyncUnaryCall<RemoveStorageResponse> call = _pod.RemoveStorageAsync(
            new RemoveStorageRequest { Name = name }, Options(s_storageTimeout, TimeSpan.Zero));
        await AwaitAsync(call, "remove a storage from", pod);
    }
}
