namespace Kata.Sandbox;

/// <summary>The request is right but the moment is wrong, or the thing it names does not exist.</summary>
internal sealed class SandboxStateException : Exception
{
    internal SandboxStateException(string message, SandboxStateError error)
        : base(message) => Error = error;

    public SandboxStateError Error { get; }

    internal static SandboxStateException NotFound(string action, string what, string id) =>
        new($"Cannot {action} '{id}': {what} does not exist. See 'kata-runtime list'", SandboxStateError.NotFound);

    /// <summary>For a container whose pod another command has taken away.</summary>
    internal static SandboxStateException PodStopped(string container) =>
        new(
            $"Cannot create the container '{container}': its pod was stopped, or never started. See 'kata-runtime list'",
            SandboxStateError.NotFound);

    /// <summary>For a container, or its pod, that was deleted while it was being created.</summary>
    internal static SandboxStateException DeletedMeanwhile(string id) =>
        new($"Cannot create the container '{id}': it was deleted in the meantime. See 'kata-runtime list'", SandboxStateError.NotFound);

    internal static SandboxStateException AlreadyExists(string action, string what, string id) =>
        new(
            $"Cannot {action} '{id}': {what} with this id exists already. Choose another id, or delete it first",
            SandboxStateError.AlreadyExists);

    internal static SandboxStateException StorageExists(string name) => new(
        $"Cannot add the storage '{name}': the pod has one of this name. Choose another name, or remove it first",
        SandboxStateError.AlreadyExists);

    internal static SandboxStateException NoStorage(string name) => new(
        $"Cannot remove the storage '{name}': the pod has none of this name. See 'kata-runtime storage list'", SandboxStateError.NotFound);

    /// <summary>For what cannot be done now.</summary>
    /// <param name="action">What was asked for, with its object.</param>
    /// <param name="cause">Why not, and what to do.</param>
    internal static SandboxStateException Refused(string action, string cause) =>
        new($"Cannot {action}: {cause}", SandboxStateError.WrongState);

    /// <summary>For a pod whose journal has a kind of thing that only a later version can release.</summary>
    internal static SandboxStateException HeldByLaterVersion(string pod, string kind) => new(
        $"Cannot remove the pod '{pod}': its journal has an entry of the kind '{Kata.Linux.PrintableText.Escape(kind)}', "
        + $"which this version ({RuntimeVersion.Number}) does not know, and nothing was removed. "
        + "Use the version of kata-runtime that made the pod, or a later one",
        SandboxStateError.WrongState);

    internal static SandboxStateException WrongState(string action, string id, string actual, string allowed) =>
        new($"Cannot {action} '{id}': the container is {actual}. It must be {allowed}", SandboxStateError.WrongState);

    internal static SandboxStateException WrongPodState(string action, string id, string actual, string remedy) =>
        new($"Cannot {action} the pod '{id}': {actual}. {remedy}", SandboxStateError.WrongState);

    /// <summary>With the words that engines look for.</summary>
    internal static SandboxStateException NotRunning(string action, string id) =>
        new(
            $"Cannot {action} '{id}': container not running. It has ended; delete it with 'kata-runtime delete {id}'",
            SandboxStateError.WrongState);

    /// <inheritdoc cref="NotRunning"/>
    internal static SandboxStateException NotPaused(string action, string id, string actual) =>
        new($"Cannot {action} '{id}': container not paused. It is {actual}; see 'kata-runtime state {id}'", SandboxStateError.WrongState);

    /// <inheritdoc cref="NotRunning"/>
    internal static SandboxStateException NoExec(string id, ContainerStatus status) => new(
        status == ContainerStatus.Paused
            ? $"Cannot execute in the container '{id}': cannot exec in a paused container (use --ignore-paused to override). "
                + "Resume it first"
            : $"Cannot execute in the container '{id}': cannot exec in a stopped container. Start another one",
        SandboxStateError.WrongState);
}
