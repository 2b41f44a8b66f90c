using System.Text;
using Kata.Runtime.Installing;

namespace Kata.Fuzz.Targets;

/// <summary>
/// containerd's configuration, which is the user's. After an installation nothing is left to install, and taking it out gives
/// what taking it out of the first text does.
/// </summary>
internal static class ContainerdFiles
{
    private const string File = "/etc/containerd/config.toml";

    public static void Install(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        var runtime = new ContainerdRuntime("/usr/local/bin/containerd-shim-kata-v2", null);
        string? bare = Change(text, null);
        string? installed = Change(text, runtime);
        try
        {
            Finding.Unless(Change(installed, runtime) == installed, "a second installation changes the file again");
            string? removed = Change(installed, null);
            Finding.Unless(
                removed?.TrimEnd('\r', '\n') == bare?.TrimEnd('\r', '\n'), $"another text is left after the removal: '{removed}'");
        }
        catch (ArgumentException refusal)
        {
            throw new Finding($"what was installed is refused: {refusal.Message}");
        }
    }

    // Null: there is no file.
    private static string? Change(string? text, ContainerdRuntime? runtime)
    {
        ContainerdDocument[] documents = text is null ? [] : [ContainerdDocument.Parse(File, text)];
        IReadOnlyList<FileChange> changes = ContainerdPlanner.Plan(File, documents, null, runtime);
        return changes is [var only] ? only.After : text;
    }
}
