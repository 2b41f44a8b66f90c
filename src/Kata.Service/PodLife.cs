using System.Diagnostics.CodeAnalysis;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Task = System.Threading.Tasks.Task;

namespace Kata.Service;

/// <summary>
/// The one pod of a service process: booted once and ended once. Most pods begin and end with their containers, by
/// <see cref="TaskService"/>; one that <see cref="SandboxService"/> holds is there before the first and after the last.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Neither has a wait handle or a timer to dispose of: nobody asks for one")]
internal sealed class PodLife(PodHost host)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ending = new();
    private bool _over; // its machine was ended, and does not start again; under Gate
    private readonly TaskCompletionSource _dismissed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>One create, delete or end at a time: they make and end the pod.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Null before the boot and after the end. Written under <see cref="Gate"/>.</summary>
    public PodSandbox? Pod { get; set; }

    /// <summary>What a pod that is held was asked for; null when containers alone make the pod. Written under <see cref="Gate"/>.</summary>
    public PodSettings? Held { get; set; }

    /// <summary>Whether it is held and its machine is still to start. Under <see cref="Gate"/>.</summary>
    public bool IsToStart => Held is not null && Pod is null && !_over && !Ended.IsCompleted;

    /// <summary>Storages that the machine of a pod that is held starts with. Replaced under <see cref="Gate"/>.</summary>
    public IReadOnlyList<StoragePlan> Noted { get; private set; } = [];

    /// <summary>Completes when the pod is gone and the process may end.</summary>
    public Task Ended => _ended.Task;

    /// <summary>
    /// Cancelled when the pod begins to end, which may take as long as its last poststop hooks: nobody can join it any more.
    /// </summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Completes when the pod is gone and its engine has said that it needs this process no more.</summary>
    public Task Dismissed => _dismissed.Task;

    /// <summary>Adds to <see cref="Noted"/>. Under <see cref="Gate"/>.</summary>
    /// <exception cref="SandboxStateException">There is one of its name.</exception>
    public void Note(StoragePlan storage) => Noted = Noted.Any(other => other.Name == storage.Name)
        ? throw SandboxStateException.StorageExists(storage.Name)
        : [.. Noted, storage];

    /// <summary>The opposite.</summary>
    /// <exception cref="SandboxStateException">There is none of the name.</exception>
    public void Unnote(string name) => Noted = Noted.Any(other => other.Name == name)
        ? [.. Noted.Where(other => other.Name != name)]
        : throw SandboxStateException.NoStorage(name);

    /// <summary>The engine's word for that. Of a pod that lives it means nothing.</summary>
    public void Dismiss()
    {
        if (Ended.IsCompleted)
        {
            _dismissed.TrySetResult();
        }
    }

    /// <summary>Ends the machine and what it needs. The process goes on.</summary>
    public async Task StopAsync()
    {
        PodSandbox? pod = Pod;
        Pod = null;
        _over = true;
        if (pod is not null)
        {
            await pod.DisposeAsync();
        }
    }

    /// <summary>Ends everything, this process too, whatever goes wrong on the way. Under <see cref="Gate"/>.</summary>
    /// <param name="last">The last container, whose poststop hooks run when nothing of the pod is left but this process.</param>
    /// <exception cref="Exception">The first failure: something is left, which a remover finds.</exception>
    public async Task EndAsync(Container? last = null)
    {
        var cleanUp = new CleanUp();
        await _ending.CancelAsync();
        try
        {
            await cleanUp.TryAsync(StopAsync);
            await cleanUp.TryAsync(() => last?.Hooks.RunPoststopAsync() ?? Task.CompletedTask);
            await cleanUp.TryAsync(host.EndAsync);
        }
        finally
        {
            _ended.TrySetResult();
        }

        cleanUp.ThrowIfFailed();
    }

    /// <summary>The same after a failure, which is what the caller is to be told: another one on the way is logged.</summary>
    public async Task EndAfterFailureAsync(Container? last = null)
    {
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(() => EndAsync(last));
        if (cleanUp.Failure is { } failure)
        {
            host.Log.BackgroundFailed(ServiceStatus.TextOf(failure));
        }
    }

    /// <summary>
    /// Checks that a new container's id is this pod's. The command that containerd or a person starts has claimed it; where there is none,
    /// for a container of a pod that is held, it is claimed now. Under <see cref="Gate"/>.
    /// </summary>
    /// <returns>Whether it was claimed here, and so is to be given back when the container does not come to be.</returns>
    /// <exception cref="SandboxStateException">The id is taken, the pod is gone, or the container was deleted meanwhile.</exception>
    public bool Claim(ContainerId id) =>
        Ended.IsCompleted ? throw Gone(id)
        : host.IsClaimed(id) ? false
        : Held is null ? throw Gone(id)
        : host.TryClaim(id) ? true
        : throw SandboxStateException.AlreadyExists("create the container", "a container", id.Value);

    /// <summary>The pod that a new container joins, booted when there is none yet and nobody holds it. Under <see cref="Gate"/>.</summary>
    /// <exception cref="SandboxStateException">The pod is held and does not run.</exception>
    /// <param name="bundle">The container's.</param>
    /// <param name="request">What its caller wants.</param>
    /// <param name="standIn">The process that stands for it in namespaces of its own; null where there is none.</param>
    public async Task<PodSandbox> JoinAsync(Bundle bundle, CreateTaskRequest request, int? standIn) => Pod ??= Held is null
        ? await host.BootAsync(
            HostNetworking.Check(host.Plan(bundle.Spec, RuntimeOptions.ConfigPathOf(request.Options)), bundle.Spec) with
            {
                SharedMemory = SharedMemory.Of(bundle, host.Files),
                NetworkNamespace = PodNamespaces.NetworkOf(bundle.Spec, standIn),
            },
            host.Stopping)
        : throw SandboxStateException.PodStopped(request.Id);

    /// <summary>Takes the <see cref="Gate"/> for a new container.</summary>
    /// <exception cref="SandboxStateException">The pod ends, or has ended.</exception>
    public async Task EnterAsync(ContainerId id, CancellationToken cancellationToken)
    {
        // Ends early on: the caller (cancellationToken), or the pod's end.
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Ending);
        try
        {
            await Gate.WaitAsync(both.Token);
        }
        catch (OperationCanceledException) when (Ending.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Gone(id);
        }
    }

    private static SandboxStateException Gone(ContainerId id) => SandboxStateException.DeletedMeanwhile(id.Value);
}
