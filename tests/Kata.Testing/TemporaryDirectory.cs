namespace Kata.Testing;

/// <summary>A new directory of the test's own, with a short path (unix socket addresses are short), removed at the end.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("kata-").FullName;

    /// <summary>The path of a file in it, which need not exist.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
