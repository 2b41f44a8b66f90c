using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Installing;

namespace Kata.Runtime.Commands;

/// <summary><c>install containerd</c>: makes containerd know the runtime, or forget it again.</summary>
internal static class InstallCommand
{
    private const string DefaultFile = "/etc/containerd/config.toml";
    private const string Shim = "containerd-shim-kata-v2";

    // Where a containerd that systemd started looks for shims.
    private static readonly string[] s_containerdPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    public static Command Define(GlobalOptions globals) =>
        new("install", "Tell a container engine of this runtime, or take that back") { Containerd(globals) };

    private static Command Containerd(GlobalOptions globals)
    {
        var file = new Option<string>("--file", "-f")
        {
            Description = "containerd's configuration file",
            HelpName = "FILE",
            DefaultValueFactory = static _ => DefaultFile,
        };
        var shimPath = new Option<string?>("--runtime-path")
        {
            Description = "The shim, for a containerd that does not find it; the one beside this program when left out",
            HelpName = "FILE",
        };
        var configPath = new Option<string?>("--config-path")
        {
            Description = "Kata's configuration file for the pods of this containerd",
            HelpName = "FILE",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Print what would be changed, and change nothing" };
        var uninstall = new Option<bool>("--uninstall") { Description = "Take out what this command wrote" };
        var command = new Command("containerd", "Add the runtime 'kata' to containerd's configuration for Kubernetes (CRI)")
        {
            file, shimPath, configPath, dryRun, uninstall,
        };
        command.SetAction(result =>
        {
            if (result.GetValue(globals.Configuration) is not null)
            {
                throw new ArgumentException("Cannot use the option '--config': it could mean two files here. "
                    + "Name containerd's with '--file' and Kata's with '--config-path'");
            }

            ContainerdRuntime? runtime = result.GetValue(uninstall) ? null
                : new ContainerdRuntime(ShimOf(result.GetValue(shimPath)), FileOf(configPath.Name, result.GetValue(configPath)));
            Run(Path.GetFullPath(result.GetValue(file)!), runtime, result.GetValue(dryRun));
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Run(string path, ContainerdRuntime? runtime, bool dryRun)
    {
        ContainerdFiles files = ContainerdFiles.Read(path);
        IReadOnlyList<FileChange> changes = ContainerdPlanner.Plan(path, files.Documents, files.DropInDirectory, runtime);
        foreach (FileChange change in changes)
        {
            if (dryRun)
            {
                Console.Out.Write(TextDifference.Describe(change));
            }
            else
            {
                string? backup = AtomicFile.Apply(change);
                string done = change.Before is null ? "Made" : change.After is null ? "Removed" : "Changed";
                Console.Out.WriteLine($"{done} {change.Path}{(backup is null ? "" : $" (as it was: {backup})")}");
            }
        }

        if (changes.Count == 0)
        {
            Console.Out.WriteLine($"Nothing to do: {path} {(runtime is null ? "has nothing of this command" : "is as it should be")}");
        }

        Warn(path, files.Documents, runtime);
        if (changes.Count > 0 && !dryRun)
        {
            const string Name = ContainerdRuntime.Name;
            Console.Out.WriteLine(runtime is null ? "Next: restart containerd, for example with 'systemctl restart containerd'" : $$"""
                Next: restart containerd, for example with 'systemctl restart containerd' (running containers go on), and
                let pods name the runtime ('runtimeClassName: {{Name}}') once the cluster knows it:
                  kubectl apply -f - <<END
                  {apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: {{Name}}}, handler: {{Name}}}
                  END
                """);
        }
    }

    private static void Warn(string path, IReadOnlyList<ContainerdDocument> documents, ContainerdRuntime? runtime)
    {
        if (runtime is null)
        {
            return;
        }

        if (documents.FirstOrDefault(static document => document.DisabledPlugins.Any(IsCri)) is { } disabling)
        {
            Console.Error.WriteLine($"kata-runtime: warning: {disabling.Path} disables the CRI plugin ('disabled_plugins'): "
                + "Kubernetes cannot use this containerd until that is removed");
        }

        if (documents is [{ Version: 1 }, ..])
        {
            Console.Error.WriteLine(
                $"kata-runtime: warning: {path} is of the first version of the format, of which containerd 2 reads only a part. "
                + "Migrate it with 'containerd config migrate', and run this command again");
        }
    }

    private static bool IsCri(string plugin) => plugin is "cri" or "io.containerd.grpc.v1.cri" or "io.containerd.cri.v1.runtime";

    private static string? ShimOf(string? given)
    {
        if (given is not null)
        {
            return FileOf("--runtime-path", given);
        }

        string beside = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath)!, Shim);
        string? found = s_containerdPath.Select(static directory => Path.Combine(directory, Shim)).FirstOrDefault(File.Exists);
        return found is not null && (found == beside || !File.Exists(beside)) ? null : FileOf("--runtime-path", beside);
    }

    private static string? FileOf(string option, string? path)
    {
        if (path is null || (Path.IsPathRooted(path) && !path.Any(char.IsControl) && File.Exists(path)))
        {
            return path;
        }

        string cause = Path.IsPathRooted(path) ? "there is no such file" : "it is relative, and containerd's directory is another";
        throw new ArgumentException(
            $"Cannot use the value {SpecText.Quote(path)} of '{option}': {cause}. Give the absolute path of a file, as '{option} FILE'");
    }
}
