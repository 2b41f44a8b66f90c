using System.Text;

namespace Kata.Runtime.Installing;

/// <summary>What containerd is told about the runtime.</summary>
/// <param name="shimPath">The shim's file, or null where containerd finds it in its path.</param>
/// <param name="configPath">Kata's own configuration file, or null for the one in the default places.</param>
internal sealed class ContainerdRuntime(string? shimPath, string? configPath)
{
    /// <summary>The handler's name, which a RuntimeClass names too.</summary>
    public const string Name = "kata";

    /// <summary>The first and last line of what is ours in a file; <c>--uninstall</c> finds it by them.</summary>
    internal const string Begin = "# begin: kata-runtime install containerd";
    internal const string End = "# end: kata-runtime install containerd";

    /// <summary>The tables, between the two lines.</summary>
    /// <param name="prefix">The dotted key of containerd's table of runtimes.</param>
    /// <param name="withVersion">Says the version too, which nothing else in the file does.</param>
    /// <param name="withRunc">
    /// Names runc too. The CRI plugin of containerd 1.6 and 1.7 forgets the runtime that it has by itself as soon as its configuration has
    /// any, and does not start then, because the default runtime is missing.
    /// </param>
    public string Tables(string prefix, bool withVersion, bool withRunc)
    {
        var text = new StringBuilder();
        text.Append(Begin).Append(" (to take it out: kata-runtime install containerd --uninstall)\n");
        if (withVersion)
        {
            text.Append("version = 2\n");
        }

        if (withRunc)
        {
            text.Append("# containerd before 2.0 drops its own default, runc, as soon as another runtime is named.\n")
                .Append($"[{prefix}.runc]\n  runtime_type = \"io.containerd.runc.v2\"\n");
        }

        text.Append($"[{prefix}.{Name}]\n  runtime_type = \"io.containerd.kata.v2\"\n");
        if (shimPath is not null)
        {
            text.Append($"  runtime_path = {Quote(shimPath)}\n");
        }

        text.Append("  privileged_without_host_devices = true\n")
            .Append("  pod_annotations = [\"io.katacontainers.*\"]\n")
            .Append("  container_annotations = [\"io.katacontainers.*\"]\n");
        if (configPath is not null)
        {
            text.Append($"  [{prefix}.{Name}.options]\n    ConfigPath = {Quote(configPath)}\n");
        }

        return text.Append(End).Append('\n').ToString();
    }

    // TOML's basic string; control characters are refused where the paths come from.
    private static string Quote(string path) =>
        $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
