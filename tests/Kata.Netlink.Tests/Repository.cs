namespace Kata.Netlink.Tests;

/// <summary>Where the sources are.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Kata.slnx")))
        {
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException($"Cannot find the sources: no Kata.slnx above '{AppContext.BaseDirectory}'");
        }

        return root;
    }
}
