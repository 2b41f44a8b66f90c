namespace Kata.Configuration;

/// <summary>The little of a file system that configuration needs, so that it is tested as data.</summary>
internal interface IConfigurationFiles
{
    /// <summary>The content of a file; null when there is none.</summary>
    /// <exception cref="IOException">The file exists and cannot be read, or is larger than <paramref name="maxBytes"/>.</exception>
    byte[]? Read(string path, int maxBytes);

    /// <summary>The full paths of the files directly in a directory, in any order; empty when there is no such directory.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Whether a file exists, symbolic links followed.</summary>
    bool Exists(string path);

    /// <summary>The path with every symbolic link in it followed; the path itself, made absolute, where that is not possible.</summary>
    string Resolve(string path);
}
