namespace Kata.Fuzz.Targets;

/// <summary>Room for targets that need files; gone with the process.</summary>
internal static class Scratch
{
    private static readonly Lazy<DirectoryInfo> s_root = new(static () =>
    {
        DirectoryInfo root = Directory.CreateTempSubdirectory("kata-fuzz-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => root.Delete(recursive: true);
        return root;
    });

    /// <summary>A directory of that name, which nobody else has.</summary>
    public static string NewDirectory(string name) => s_root.Value.CreateSubdirectory($"{name}-{Guid.NewGuid():n}").FullName;
}
