using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Boot;

/// <summary>Loads the image's kernel modules: at boot in the order that the image gives, later by name with what each needs.</summary>
internal sealed class KernelModules(ILogger logger)
{
    /// <summary>One path a line, <c>#</c> begins a comment; what a module needs is before it.</summary>
    public const string ListPath = "/etc/kata/modules";

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
            if (path.Length > 0 && path[0] != '#' && TryLoad(path, "") is { } error)
            {
                logger.ModuleNotLoaded(path, error.Message);
            }
        }
    }

    /// <summary>Loads a module by its name, as CreateSandbox asks for it, after those that it needs. One that is there already is left alone.</summary>
    /// <exception cref="Grpc.Core.RpcException">NotFound: the image has no such module. Internal: the kernel refuses it, or one that it needs.</exception>
    public static void LoadNamed(string name, IEnumerable<string> parameters)
    {
        if (!LoadIfThere(name, parameters))
        {
            throw AgentException.NotFound(
                $"Cannot load the kernel module '{name}': the guest image has no '{ModuleOrder.Normalize(name)}.ko'. "
                + "Add it to the image, or correct 'kernel_modules' in [agent.kata]");
        }
    }

    /// <summary>Likewise; false when the image has no such module and the kernel shows none.</summary>
    /// <exception cref="Grpc.Core.RpcException">Internal: the kernel refuses it, or one that it needs.</exception>
    public static bool LoadIfThere(string name, params IEnumerable<string> parameters)
    {
        var order = new ModuleOrder(ModuleFiles(), static path => ModuleInformation.Needs(File.ReadAllBytes(path)), IsLoaded);
        if (order.Find(name) is null && !IsLoaded(name))
        {
            return false;
        }

        foreach (string path in order.Of(name))
        {
            bool isLast = path == order.Find(name);
            if (TryLoad(path, isLast ? string.Join(' ', parameters) : "") is not { } error)
            {
                continue;
            }

            string missing = string.Join(", ", order.MissingFor(name).Select(static item => $"'{item}'"));
            throw AgentException.Failed(
                $"Cannot load the kernel module '{name}'{(isLast ? "" : $", which needs '{Path.GetFileNameWithoutExtension(path)}'")}: "
                + $"the guest's kernel refused: {LinuxException.Describe(error.Errno)}. "
                + (missing.Length > 0
                    ? $"The image has no {missing}, which it needs"
                    : "It must be of the guest's kernel, and its parameters ones that it takes: see the guest's console"));
        }

        return true;
    }

    private static IEnumerable<string> ModuleFiles() =>
        Directory.Exists(ModuleDirectory) ? Directory.EnumerateFiles(ModuleDirectory, "*.ko", SearchOption.AllDirectories) : [];

    // Also one that is built in, when it has parameters.
    private static bool IsLoaded(string name) => Directory.Exists($"{LoadedDirectory}/{ModuleOrder.Normalize(name)}");

    // Null when it is there now.
    private static LinuxException? TryLoad(string path, string parameters)
    {
        using SafeFileDescriptor module = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC, 0);
        if (module.IsInvalid)
        {
            return LinuxException.FromLastErrno("open", $"open '{path}'");
        }

        if (LibC.finit_module(module, parameters) == 0)
        {
            return null;
        }

        LinuxException error = LinuxException.FromLastErrno("finit_module", $"load the kernel module '{path}'");
        return error.Errno == Errno.EEXIST ? null : error;
    }
}
