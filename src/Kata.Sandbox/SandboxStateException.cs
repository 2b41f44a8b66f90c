namespace Kata.Sandbox;

/// <summary>The request is right but the moment is wrong, or the thing it names does not exist.</summary>
internal sealed class SandboxStateException : Exception
{
    internal SandboxStateException(string message, SandboxStateError error)
        : base(message) => Error = error;

    public SandboxStateError Error { get; }

    internal static SandboxStateException NotFound(string action, string what, string id) =>
        new($"Cannot {action} '{id}': {what} does not exist. See 'kata-runtime list'", SandboxStateError.NotFound);

    internal static SandboxStateException AlreadyExists(string action, string what, string id) =>
        new($"Cannot {action} '{id}': {what} with this id exists already. Choose another id, or delete it first", SandboxStateError.AlreadyExists);

    internal static SandboxStateException WrongState(string action, string id, string actual, string allowed) =>
        new($"Cannot {action} '{id}': the container is {actual}. It must be {allowed}", SandboxStateError.WrongState);
}
