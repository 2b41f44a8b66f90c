namespace Kata.Configuration;

/// <summary>Where a value comes from.</summary>
/// <param name="Source">The file, or the annotation's name; null for what is built in.</param>
/// <param name="Line">The line in the file, from 1; 0 when there is none.</param>
internal readonly record struct ConfigurationOrigin(string? Source, int Line)
{
    /// <summary>A value that no file and no annotation set.</summary>
    internal static readonly ConfigurationOrigin BuiltIn;

    /// <summary>An annotation of the pod.</summary>
    internal static ConfigurationOrigin Annotation(string name) => new($"annotation {name}", 0);

    /// <summary><c>built-in</c>, <c>/etc/kata-containers/configuration.toml:12</c> or <c>annotation io.katacontainers...</c>.</summary>
    public override string ToString() =>
        Source is null ? "built-in" : Line == 0 ? Source : FormattableString.Invariant($"{Source}:{Line}");
}
