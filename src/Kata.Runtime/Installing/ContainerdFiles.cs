using Kata.Oci;

namespace Kata.Runtime.Installing;

/// <summary>Reads containerd's configuration with its imports, in containerd's order: a file's after all that was named before.</summary>
internal sealed class ContainerdFiles
{
    private const int MaxFiles = 100; // somebody's imports of a directory of everything

    private readonly List<ContainerdDocument> _documents = [];

    private ContainerdFiles(string path) => Path = path;

    public string Path { get; }

    public IReadOnlyList<ContainerdDocument> Documents => _documents;

    /// <summary>The first directory of which the configuration imports every <c>*.toml</c>, or null; it may not exist yet.</summary>
    public string? DropInDirectory { get; private set; }

    /// <exception cref="ArgumentException">A file is not what containerd could read.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ContainerdFiles Read(string path)
    {
        var files = new ContainerdFiles(path);
        string dropIns = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, "conf.d");
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            return Matches(System.IO.Path.Combine(dropIns, "*.toml")).Length == 0 ? files : throw new ArgumentException(
                $"Cannot decide what to write to {SpecText.Quote(path)}: it does not exist, and '{dropIns}' has files, "
                + "which only some versions of containerd read then. Make it first, for example with 'containerd config default'");
        }

        files.Follow();
        return files;
    }

    private void Follow()
    {
        List<string> pending = [Path];
        for (int next = 0; next < pending.Count; next++)
        {
            string path = pending[next];
            if (pending.IndexOf(path) < next)
            {
                continue; // read already
            }

            if (_documents.Count == MaxFiles)
            {
                throw new ArgumentException($"Cannot read {SpecText.Quote(Path)}: it imports more than {MaxFiles} files. "
                    + "Add the tables by hand, as 'deploy/containerd' shows them");
            }

            ContainerdDocument document = ContainerdDocument.Parse(path, AtomicFile.ReadText(path));
            _documents.Add(document);
            foreach (string import in document.Imports)
            {
                string full = System.IO.Path.GetFullPath(import, System.IO.Path.GetDirectoryName(path)!);
                if (!full.Contains('*'))
                {
                    pending.Add(full);
                    continue;
                }

                bool isAll = full.EndsWith("/*.toml", StringComparison.Ordinal) && full.IndexOf('*') == full.Length - "*.toml".Length;
                if (_documents.Count == 1 && DropInDirectory is null && isAll)
                {
                    DropInDirectory = System.IO.Path.GetDirectoryName(full);
                }

                pending.AddRange(Matches(full));
            }
        }
    }

    // Stars in the name only, not in directories: what containerd's users write.
    private static string[] Matches(string pattern)
    {
        string directory = System.IO.Path.GetDirectoryName(pattern)!;
        if (!Directory.Exists(directory))
        {
            return [];
        }

        string[] found = Directory.GetFiles(directory, System.IO.Path.GetFileName(pattern));
        Array.Sort(found, StringComparer.Ordinal);
        return found;
    }
}
