using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Boot;

/// <summary>Loads the image's kernel modules in the order the image gives; dependencies come first in the list.</summary>
internal sealed class KernelModules(ILogger logger)
{
    /// <summary>One path a line, <c>#</c> begins a comment.</summary>
    public const string ListPath = "/etc/kata/modules";

    private const string ModuleDirectory = "/lib/modules";

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
            if (path.Length > 0 && path[0] != '#')
            {
                TryLoad(path, "");
            }
        }
    }

    /// <summary>Loads a module by its name, as CreateSandbox asks for it.</summary>
    /// <exception cref="FileNotFoundException">The image has no such module.</exception>
    public void LoadNamed(string name, IEnumerable<string> parameters)
    {
        string file = name.Replace('-', '_') + ".ko";
        string? path = Directory.EnumerateFiles(ModuleDirectory, "*.ko", SearchOption.AllDirectories)
            .FirstOrDefault(candidate => Path.GetFileName(candidate).Replace('-', '_') == file);
        if (path is null)
        {
            if (!Directory.Exists($"/sys/module/{name.Replace('-', '_')}"))
            {
                throw new FileNotFoundException($"Cannot load the kernel module '{name}': the guest image has no '{file}'. Add it to the image");
            }

            return; // built in, or loaded at boot
        }

        TryLoad(path, string.Join(' ', parameters));
    }

    private void TryLoad(string path, string parameters)
    {
        using SafeFileDescriptor module = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC, 0);
        if (module.IsInvalid)
        {
            logger.ModuleNotLoaded(path, LinuxException.FromLastErrno("open", $"open '{path}'").Message);
        }
        else if (LibC.finit_module(module, parameters) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("finit_module", $"load the kernel module '{path}'");
            if (error.Errno != Errno.EEXIST)
            {
                logger.ModuleNotLoaded(path, error.Message);
            }
        }
    }
}
