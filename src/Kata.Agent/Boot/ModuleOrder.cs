namespace Kata.Agent.Boot;

/// <summary>In which order modules are loaded: what one needs comes before it, as modprobe(8) has it.</summary>
internal sealed class ModuleOrder
{
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly Func<string, IReadOnlyList<string>> _needs;
    private readonly Func<string, bool> _isThere;

    /// <param name="files">The paths of all modules of the image; of two of one name the first counts.</param>
    /// <param name="needs">The names of the modules that the one in a file needs.</param>
    /// <param name="isThere">Whether the kernel has the module of a name already.</param>
    public ModuleOrder(IEnumerable<string> files, Func<string, IReadOnlyList<string>> needs, Func<string, bool> isThere)
    {
        (_needs, _isThere) = (needs, isThere);
        foreach (string file in files)
        {
            _files.TryAdd(Normalize(ModuleFile.NameOf(file)), file);
        }
    }

    /// <summary>The kernel takes '-' and '_' in a module's name for the same.</summary>
    public static string Normalize(string name) => name.Replace('-', '_');

    /// <summary>The module's file, or null.</summary>
    public string? Find(string name) => _files.GetValueOrDefault(Normalize(name));

    /// <summary>The files to load for a module, its own last; none for one that is there.</summary>
    public IReadOnlyList<string> Of(string name)
    {
        var order = new List<string>();
        Add(Normalize(name), order, [], []);
        return order;
    }

    /// <summary>What it needs and neither the image nor, as far as one can see, the kernel has.</summary>
    public IReadOnlyList<string> MissingFor(string name)
    {
        var missing = new List<string>();
        Add(Normalize(name), [], missing, []);
        return missing;
    }

    private void Add(string name, List<string> order, List<string> missing, HashSet<string> seen)
    {
        if (!seen.Add(name) || _isThere(name))
        {
            return;
        }

        if (!_files.TryGetValue(name, out string? file))
        {
            missing.Add(name); // maybe built in, which is not always to be seen: the kernel decides
            return;
        }

        foreach (string needed in _needs(file))
        {
            Add(Normalize(needed), order, missing, seen);
        }

        order.Add(file);
    }
}
