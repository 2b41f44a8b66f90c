using Grpc.Core;
using Kata.Sandbox;
using Kata.Sandbox.Protocol.V1;
using static Kata.Service.ServiceStatus;
using StorageMessage = Kata.Sandbox.Protocol.V1.Storage;

namespace Kata.Service;

/// <summary>
/// <c>kata.sandbox.v1</c>: what a pod can be asked for beyond containerd's services. Of a pod that is held and has not started, a storage
/// is noted: its machine starts with it.
/// </summary>
internal sealed partial class PodService(PodHost host, PodLife life) : Sandbox.Protocol.V1.Sandbox.SandboxBase
{
    public override Task<AddStorageResponse> AddStorage(AddStorageRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        StoragePlan plan = PlanOf(request.Spec ?? new StorageSpec());
        await life.Gate.WaitAsync(context.CancellationToken);
        try
        {
            if (life.IsToStart)
            {
                life.Note(plan);
                return new AddStorageResponse { Storage = ToMessage(plan, "") };
            }
        }
        finally
        {
            life.Gate.Release();
        }

        // Outside of the gate: a guest that takes its time holds nobody else up. And not for the caller alone: who hangs up finds it done.
        PodStorage storage = await Running("add the storage", plan.Name).AddStorageAsync(plan, host.Stopping);
        return new AddStorageResponse { Storage = ToMessage(storage.Plan, storage.DevicePath) };
    });

    public override Task<ListStoragesResponse> ListStorages(ListStoragesRequest request, ServerCallContext context) => RunAsync(() =>
    {
        var response = new ListStoragesResponse();
        if (life.Pod is { } pod)
        {
            response.Storages.Add(pod.Storages.Select(static storage => ToMessage(storage.Plan, storage.DevicePath)));
        }
        else
        {
            response.Storages.Add(life.Noted.Select(static plan => ToMessage(plan, "")));
        }

        return Task.FromResult(response);
    });

    public override Task<RemoveStorageResponse> RemoveStorage(
        RemoveStorageRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        await life.Gate.WaitAsync(context.CancellationToken);
        try
        {
            if (life.IsToStart)
            {
                life.Unnote(request.Name);
                return new RemoveStorageResponse();
            }
        }
        finally
        {
            life.Gate.Release();
        }

        await Running("remove the storage", request.Name).RemoveStorageAsync(request.Name, host.Stopping);
        return new RemoveStorageResponse();
    });

    private static StorageMessage ToMessage(StoragePlan plan, string device) => new()
    {
        Spec = new StorageSpec
        {
            Name = plan.Name,
            Source = plan.Source,
            ReadOnly = plan.ReadOnly,
            MountPoint = plan.MountPoint ?? "",
            Filesystem = plan.FileSystem ?? "",
            Options = { plan.Options },
        },
        Device = device,
    };

    private static string? OrNull(string text) => text.Length == 0 ? null : text;

    private StoragePlan PlanOf(StorageSpec spec) => new StoragePlan
    {
        Name = OrNull(spec.Name) ?? FreeName(),
        Source = spec.Source,
        ReadOnly = spec.ReadOnly,
        MountPoint = OrNull(spec.MountPoint),
        FileSystem = OrNull(spec.Filesystem),
        Options = [.. spec.Options],
    }.Checked();

    // Two callers at once may be given the same: the second one is told that it is taken.
    private string FreeName()
    {
        HashSet<string> taken =
        [
            .. life.Pod?.Storages.Select(static storage => storage.Plan.Name) ?? life.Noted.Select(static plan => plan.Name),
        ];
        for (int number = 1; ; number++)
        {
            if (!taken.Contains(FormattableString.Invariant($"storage{number}")))
            {
                return FormattableString.Invariant($"storage{number}");
            }
        }
    }

    private PodSandbox Running(string action, string name) =>
        life.Pod ?? throw SandboxStateException.Refused(
            $"{action} '{name}'", "its pod does not run. Only one that runs, or that is created and still to start, has storages");
}
