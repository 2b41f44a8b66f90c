namespace Kata.Linux;

/// <summary>What a child is started with. Pure data; nothing is inherited that is not named here.</summary>
internal sealed record SpawnOptions
{
    /// <summary>Absolute path of the executable.</summary>
    public required string Path { get; init; }

    /// <summary>The whole argument vector, the name included.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary><c>NAME=value</c> items; the child sees no other.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    /// <summary>Which descriptor the child sees under which number. 0, 1 and 2 that are not named are <c>/dev/null</c>.</summary>
    public IReadOnlyDictionary<int, SafeFileDescriptor> Descriptors { get; init; } = new Dictionary<int, SafeFileDescriptor>();

    /// <summary>Start in a process group of its own, in the caller's session: so that one signal ends its children too.</summary>
    public bool NewGroup { get; init; }

    /// <summary>Start in a session of its own, without a controlling terminal.</summary>
    public bool NewSession { get; init; }

    /// <summary>Working directory, else the caller's thread's.</summary>
    public string? WorkingDirectory { get; init; }
}
