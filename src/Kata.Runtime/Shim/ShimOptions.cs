namespace Kata.Runtime.Shim;

/// <summary>What containerd calls a shim with: flags in the manner of Go's flag package, then one action.</summary>
internal sealed record ShimOptions
{
    /// <summary>containerd's namespace of the container.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>containerd's gRPC socket; part of what names the shim's own.</summary>
    public string Address { get; init; } = "";

    /// <summary>containerd's executable, which publishes an event when there is no socket for them.</summary>
    public string PublishBinary { get; init; } = "";

    public string Id { get; init; } = "";

    /// <summary>The bundle, when it is not the working directory.</summary>
    public string Bundle { get; init; } = "";

    public bool Debug { get; init; }

    /// <summary>Print what this runtime is.</summary>
    public bool Info { get; init; }

    /// <summary>Print the version.</summary>
    public bool Version { get; init; }

    /// <summary><c>start</c>, <c>delete</c>, <c>features</c>, or empty.</summary>
    public string Action { get; init; } = "";

    /// <exception cref="ArgumentException">A flag is unknown or has no value.</exception>
    public static ShimOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ShimOptions();
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (!argument.StartsWith('-') || argument is "-" or "--")
            {
                options = options with { Action = argument };
                continue;
            }

            string[] parts = argument.TrimStart('-').Split('=', 2);
            string? value = parts.Length == 2 ? parts[1] : null;
            options = parts[0] switch
            {
                "debug" => options with { Debug = IsTrue(value) },
                "info" => options with { Info = IsTrue(value) },
                "v" or "version" => options with { Version = IsTrue(value) },
                "namespace" => options with { Namespace = Value() },
                "address" => options with { Address = Value() },
                "publish-binary" => options with { PublishBinary = Value() },
                "id" => options with { Id = Value() },
                "bundle" => options with { Bundle = Value() },
                "socket" => Ignore(Value()), // where to listen is our own matter
                _ => throw new ArgumentException(
                    $"Cannot use the flag '{argument}': it is unknown. "
                    + "containerd calls its shims with -namespace, -address, -publish-binary, -id, -bundle, -debug, -info and -version"),
            };

            string Value() => value ?? (i + 1 < arguments.Count
                ? arguments[++i]
                : throw new ArgumentException($"Cannot use the flag '{argument}': its value is missing"));
            ShimOptions Ignore(string _) => options;
        }

        return options;
    }

    private static bool IsTrue(string? value) => value is null or "true" or "1" or "t" or "T" or "TRUE" or "True";
}
