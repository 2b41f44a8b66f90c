using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// The container's hooks. On the host: prestart, createRuntime and createContainer before the guest makes the container, poststart
/// after its program has started, poststop after it is deleted. startContainer hooks are the guest's (they run in the container).
/// </summary>
internal sealed class ContainerHooks(ContainerPlan plan, PodSandbox pod, int standInPid)
{
    private bool _begun;

    private readonly HookSet? _hooks = plan.Bundle.Spec.Hooks;

    /// <summary>
    /// Runs the poststop hooks, once, when any hook ran before. Call it when nothing of the container exists any more. Failures are logged.
    /// </summary>
    public async Task RunPoststopAsync()
    {
        if (_begun)
        {
            _begun = false;
            await pod.Hooks.RunAllAsync(HookPoint.Poststop, _hooks, StateOf("stopped"), LogFailure, CancellationToken.None);
        }
    }

    /// <summary>Runs those that come before the guest makes the container.</summary>
    public async Task RunCreateAsync(CancellationToken cancellationToken)
    {
        if (_hooks is null)
        {
            return;
        }

        _begun = true;
        pod.Save(); // a hook may ask for the state
        RuntimeState state = StateOf("creating");
        await pod.Hooks.RunAsync(HookPoint.Prestart, _hooks, state, cancellationToken);
        await pod.Hooks.RunAsync(HookPoint.CreateRuntime, _hooks, state, cancellationToken);
        await pod.FollowNetworkAsync(cancellationToken); // docker wires the pod's network by such a hook
        // They belong to the container: with runc they run in its namespaces, before its root file system becomes the root.
        var container = new HookSurroundings(plan.Bundle.RootfsPath, plan.Bundle.Spec.Process?.Env ?? []);
        await pod.Hooks.RunAsync(HookPoint.CreateContainer, _hooks, state, cancellationToken, container);
    }

    /// <summary>Runs those that follow the start of the program. Failures are logged.</summary>
    public Task RunPoststartAsync(CancellationToken cancellationToken) =>
        pod.Hooks.RunAllAsync(HookPoint.Poststart, _hooks, StateOf("running"), LogFailure, cancellationToken);

    private RuntimeState StateOf(string status) => new()
    {
        OciVersion = plan.Bundle.Spec.OciVersion,
        Id = plan.Id.Value,
        Status = status,
        Pid = status == "stopped" ? null : standInPid > 0 ? standInPid : Environment.ProcessId,
        Bundle = plan.Bundle.Directory,
        Annotations = plan.Bundle.Spec.Annotations,
    };

    private void LogFailure(string text) => pod.Log.HookFailed(plan.Id, text);
}
