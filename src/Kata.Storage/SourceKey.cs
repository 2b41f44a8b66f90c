namespace Kata.Storage;

/// <summary>
/// What a bind mount shows: a path of a file system, wherever that is mounted. Two paths of the host that are one directory have one key,
/// also when one of them is a bind mount of the other or of a part of it.
/// </summary>
/// <param name="FileSystem"><see cref="Linux.MountInfo.FileSystem"/>.</param>
/// <param name="Path">Absolute in the file system, without links.</param>
internal readonly record struct SourceKey(string FileSystem, string Path)
{
    /// <summary>Where <paramref name="other"/> lies in this one: empty when they are the same, null when it lies elsewhere.</summary>
    public string? PathTo(SourceKey other)
    {
        if (FileSystem != other.FileSystem || !other.Path.StartsWith(Path, StringComparison.Ordinal))
        {
            return null;
        }

        string rest = other.Path[Path.Length..];
        return rest.Length == 0 ? "" : Path.EndsWith('/') ? rest : rest[0] == '/' ? rest[1..] : null;
    }
}
