namespace Kata.Oci;

/// <summary>The state of a container as <c>state</c> prints it and hooks receive it.</summary>
public sealed record RuntimeState : OciObject
{
    /// <summary>The version of the specification the state follows.</summary>
    public required string OciVersion { get; init; }

    /// <summary>The container.</summary>
    public required string Id { get; init; }

    /// <summary>One of <c>creating</c>, <c>created</c>, <c>running</c>, <c>stopped</c>; runtimes add <c>paused</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The process on the host that stands for the container; missing or 0 when it has stopped.</summary>
    public int? Pid { get; init; }

    /// <summary>The absolute path of the bundle.</summary>
    public required string Bundle { get; init; }

    /// <summary>The annotations of the specification.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
