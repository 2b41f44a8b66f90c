using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// The container's hooks. On the host: prestart, createRuntime and createContainer before the guest makes the container, poststart
/// after its program has started, poststop after it is deleted. startContainer hooks are the guest's (they run in the container).
/// </summary>
internal sealed partial class Container
{
    private bool _hooksBegun;

    private HookSet? Hooks => Plan.Bundle.Spec.Hooks;

    /// <summary>Runs the poststop hooks, once, when any hook ran before. Call it when nothing of the container exists any more. Failures are logged.</summary>
    public async Task RunPoststopHooksAsync()
    {
        if (_hooksBegun)
        {
            _hooksBegun = false;
            await _pod.Hooks.RunAllAsync(HookPoint.Poststop, Hooks, HookState("stopped"), LogFailure, CancellationToken.None);
        }
    }

    private async Task RunCreateHooksAsync(CancellationToken cancellationToken)
    {
        if (Hooks is null)
        {
            return;
        }

        _hooksBegun = true;
        _pod.Save(); // a hook may ask for the state
        RuntimeState state = HookState("creating");
        await _pod.Hooks.RunAsync(HookPoint.Prestart, Hooks, state, cancellationToken);
        await _pod.Hooks.RunAsync(HookPoint.CreateRuntime, Hooks, state, cancellationToken);
        // They belong to the container: with runc they run in its namespaces, before its root file system becomes the root.
        var container = new HookSurroundings(Plan.Bundle.RootfsPath, Plan.Bundle.Spec.Process?.Env ?? []);
        await _pod.Hooks.RunAsync(HookPoint.CreateContainer, Hooks, state, cancellationToken, container);
    }

    private Task RunPoststartHooksAsync(CancellationToken cancellationToken) =>
        _pod.Hooks.RunAllAsync(HookPoint.Poststart, Hooks, HookState("running"), LogFailure, cancellationToken);

    private RuntimeState HookState(string status) => new()
    {
        OciVersion = Plan.Bundle.Spec.OciVersion,
        Id = Plan.Id.Value,
        Status = status,
        Pid = status == "stopped" ? null : StandInPid > 0 ? StandInPid : Environment.ProcessId,
        Bundle = Plan.Bundle.Directory,
        Annotations = Plan.Bundle.Spec.Annotations,
    };

    private void LogFailure(string text) => _pod.Log.HookFailed(Plan.Id, text);
}
