using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Boot;

/// <summary>Loads the image's kernel modules: at boot in the order that the image gives, later by name with what each needs.</summary>
internal sealed class KernelModules(ILogger logger)
{
    /// <summary>
    /// One path a line, <c>#</c> begins a comment; what a module needs is before it. The image has others, which are loaded by name.
    /// </summary>
    public const string ListPath = "/etc/kata/modules";

    /// <summary>The names of those that are in the kernel itself, one a line; of an image without it nothing is known.</summary>
    public const string BuiltInPath = "/etc/kata/builtin";

    private const string ModuleDirectory = "/lib/modules";
    private const string LoadedDirectory = "/sys/module";

    /// <summary>Loads what the list names. A module that is missing or refused is logged: the kernel may have it built in.</summary>
    public void LoadListed()
    {
        if (!File.Exists(ListPath))
        {
            return;
        }

        foreach (string line in File.ReadLines(ListPath))
        {
            string path = line.Trim();
            if (path.Length > 0 && path[0] != '#' && ModuleFile.TryLoad(path, "") is { } error)
            {
                logger.ModuleNotLoaded(path, error.Message);
            }
        }
    }

    /// <summary>Loads a module that is not on the list, which this machine needs. That it could not be is logged.</summary>
    public void LoadAtBoot(string name, IEnumerable<string> parameters)
    {
        try
        {
            if (!LoadIfThere(name, parameters))
            {
                logger.ModuleNotLoaded(name, "the image has none");
            }
        }
        catch (Exception error) when (error is Grpc.Core.RpcException or IOException or InvalidDataException)
        {
            logger.ModuleNotLoaded(name, ErrorText.Of(error));
        }
    }

    /// <summary>
    /// Loads a module by its name, as CreateSandbox asks for it, after those that it needs. One that is there already is left alone.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">
    /// NotFound: the image has no such module. Internal: the kernel refuses it, or one that it needs.
    /// </exception>
    public static void LoadNamed(string name, IEnumerable<string> parameters)
    {
        if (!LoadIfThere(name, parameters))
        {
            throw AgentException.NotFound(
                $"Cannot load the kernel module '{name}': the guest image has no '{ImageModules.Normalize(name)}.ko'. "
                + "Add it to the image, or correct 'kernel_modules' in [agent.kata]");
        }
    }

    /// <summary>Likewise; false when the image has no such module and the kernel shows none.</summary>
    /// <exception cref="Grpc.Core.RpcException">Internal: the kernel refuses it, or one that it needs.</exception>
    public static bool LoadIfThere(string name, params IEnumerable<string> parameters)
    {
        var image = new ImageModules(ModuleDirectory);
        string? file = image.Find(name);
        if (file is null && !IsLoaded(name))
        {
            return false;
        }

        var modules = new Dictionary<string, byte[]>(StringComparer.Ordinal); // read once, for what each needs and to be loaded
        var order = new ModuleOrder(image.Find, path => ModuleInformation.Needs(modules[path] = ModuleFile.Read(path)), IsLoaded);
        foreach (string path in order.Of(name))
        {
            bool isLast = path == file;
            if (ModuleFile.TryLoad(path, modules[path], isLast ? string.Join(' ', parameters) : "") is not { } error)
            {
                continue;
            }

            string missing = string.Join(", ", order.MissingFor(name).Select(static item => $"'{item}'"));
            throw AgentException.Failed(
                $"Cannot load the kernel module '{name}'{(isLast ? "" : $", which needs '{ModuleFile.NameOf(path)}'")}: "
                + $"the guest's kernel refused: {LinuxException.Describe(error.Errno)}. "
                + (missing.Length > 0
                    ? $"The image has no {missing}, which it needs"
                    : "It must be of the guest's kernel, and its parameters ones that it takes: see the guest's console"));
        }

        return true;
    }

    // The kernel shows one that is built in when it has parameters; the image's list has all.
    private static bool IsLoaded(string name) =>
        Directory.Exists($"{LoadedDirectory}/{ImageModules.Normalize(name)}") || IsBuiltIn(name, BuiltInPath);

    /// <summary>Whether a list has a module's name.</summary>
    internal static bool IsBuiltIn(string name, string list) =>
        File.Exists(list) && File.ReadLines(list).Contains(ImageModules.Normalize(name), StringComparer.Ordinal);
}
