using Kata.Linux;

namespace Kata.Agent.Boot;

/// <summary>
/// What the kernel asks for by itself, when somebody makes a link, a rule or a socket of a kind that it has no code for yet: it starts
/// <c>/sbin/modprobe -q -- NAME</c> (Documentation/admin-guide/sysctl/kernel.rst, modprobe), which is this executable by another name.
/// </summary>
internal static class ModuleRequests
{
    /// <summary>An alias and the module that answers to it, a line each. Of an image without it only names of modules are known.</summary>
    public const string AliasPath = "/etc/kata/aliases";

    private const string Program = "modprobe";

    /// <summary>
    /// From here on the kernel gets answers. Not before: while it starts it asks six times for what it can do without, and each answer
    /// is a process. An image with a modprobe of its own keeps that.
    /// </summary>
    public static void Accept()
    {
        const string Link = $"/sbin/{Program}";
        if (!File.Exists(Link))
        {
            File.CreateSymbolicLink(Link, Environment.ProcessPath!);
        }
    }

    /// <summary>Whether the process was started for this.</summary>
    public static bool IsOne(string[] arguments) => Path.GetFileName(arguments[0]) == Program;

    /// <summary>Loads what is asked for. Returns modprobe's status: 0 when it is there now.</summary>
    public static int Run(string[] arguments)
    {
        string asked = arguments[^1];
        try
        {
            string name = File.Exists(AliasPath) ? NameOf(asked, File.ReadLines(AliasPath)) : asked;
            return KernelModules.LoadIfThere(name) ? 0 : 1;
        }
        catch (Exception error) when (error is Grpc.Core.RpcException or LinuxException or IOException or InvalidDataException)
        {
            return 1; // who wanted it gets the kernel's error: that there is no such thing
        }
    }

    /// <summary>The module that an alias stands for; what is none is a module's name. Pure.</summary>
    public static string NameOf(string asked, IEnumerable<string> aliases)
    {
        foreach (string line in aliases)
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space == asked.Length && line.StartsWith(asked, StringComparison.Ordinal))
            {
                return line[(space + 1)..];
            }
        }

        return asked;
    }
}
