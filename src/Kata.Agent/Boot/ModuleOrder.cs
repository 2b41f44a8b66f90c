namespace Kata.Agent.Boot;

/// <summary>In which order modules are loaded: what one needs comes before it, as modprobe(8) has it.</summary>
/// <param name="find">The file of a module in the image, or null.</param>
/// <param name="needs">The names of the modules that the one in a file needs.</param>
/// <param name="isThere">Whether the kernel has the module of a name already.</param>
internal sealed class ModuleOrder(Func<string, string?> find, Func<string, IReadOnlyList<string>> needs, Func<string, bool> isThere)
{
    /// <summary>The files to load for a module, its own last; none for one that is there.</summary>
    public IReadOnlyList<string> Of(string name)
    {
        var order = new List<string>();
        Add(ImageModules.Normalize(name), order, [], []);
        return order;
    }

    /// <summary>What it needs and neither the image nor, as far as one can see, the kernel has.</summary>
    public IReadOnlyList<string> MissingFor(string name)
    {
        var missing = new List<string>();
        Add(ImageModules.Normalize(name), [], missing, []);
        return missing;
    }

    private void Add(string name, List<string> order, List<string> missing, HashSet<string> seen)
    {
        if (!seen.Add(name) || isThere(name))
        {
            return;
        }

        if (find(name) is not { } file)
        {
            missing.Add(name); // maybe built in, which is not always to be seen: the kernel decides
            return;
        }

        foreach (string needed in needs(file))
        {
            Add(ImageModules.Normalize(needed), order, missing, seen);
        }

        order.Add(file);
    }
}
