using System.CommandLine;
using System.Globalization;
using Kata.Oci;

namespace Kata.Runtime.Commands;

/// <summary>The options of <c>exec</c> that describe the process; runc's.</summary>
internal sealed class ExecOptions
{
    private readonly Option<string?> _processFile = new("--process", "-p")
    {
        Description = "JSON file with the whole OCI process, instead of a program",
        HelpName = "FILE",
    };
    private readonly Option<string?> _cwd = new("--cwd") { Description = "Working directory in the container", HelpName = "DIR" };
    private readonly Option<string[]> _env = new("--env", "-e")
    {
        Description = "Set an environment variable; may be repeated",
        HelpName = "NAME=VALUE",
    };
    private readonly Option<bool> _tty = new("--tty", "-t") { Description = "Give the program a terminal" };
    private readonly Option<string?> _user = new("--user", "-u")
    {
        Description = "User and group, as names or numbers",
        HelpName = "USER[:GROUP]",
    };
    private readonly Option<uint[]> _groups = new("--additional-gids", "-g")
    {
        Description = "Add a group by its number; may be repeated",
        HelpName = "GID",
    };
    private readonly Option<string[]> _capabilities = new("--cap", "-c")
    {
        Description = "Add a capability, such as CAP_KILL; may be repeated",
        HelpName = "CAP",
    };
    private readonly Option<bool> _noNewPrivileges = new("--no-new-privs") { Description = "Keep the program from gaining privileges" };

    private readonly Option<string?> _apparmor = new("--apparmor")
    {
        Description = "Accepted; profiles are not applied, the guest has none",
        HelpName = "PROFILE",
    };
    private readonly Option<string?> _processLabel = new("--process-label")
    {
        Description = "Accepted; labels are not applied, the guest has no policy",
        HelpName = "LABEL",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            _processFile, _cwd, _env, _tty, _user, _groups, _capabilities, _noNewPrivileges, _apparmor, _processLabel,
        })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>
    /// The process to execute: the file's, or the container's own with what the options change. runc's rule for the user: who is not
    /// given stays, so without a group it is the container's, and further groups come on top of the container's.
    /// </summary>
    /// <param name="result">The parsed command.</param>
    /// <param name="arguments">The program and its arguments.</param>
    /// <param name="ofContainer">Reads the container's own process.</param>
    /// <exception cref="ArgumentException">Neither a program nor a file was given, or a value is malformed.</exception>
    public ExecRequest Build(ParseResult result, IReadOnlyList<string> arguments, Func<ProcessSpec?> ofContainer)
    {
        if (result.GetValue(_processFile) is { } file)
        {
            ProcessSpec whole = ReadProcess(file);
            return new ExecRequest(result.GetValue(_tty) ? whole with { Terminal = true } : whole);
        }

        if (arguments.Count == 0)
        {
            throw new ArgumentException(
                "Cannot run 'exec': no program was given. Name one after the container's id, or give --process FILE");
        }

        ProcessSpec process = ofContainer() ?? throw new ArgumentException(
            "Cannot take the environment from 'config.json': the container has no process there. Give --process FILE");
        process = process with { Args = arguments, Terminal = result.GetValue(_tty), ConsoleSize = null };
        if (result.GetValue(_cwd) is { } cwd)
        {
            process = process with { Cwd = cwd };
        }

        if (result.GetValue(_env) is { Length: > 0 } env)
        {
            process = process with { Env = [.. process.Env ?? [], .. env] };
        }

        UserSpec who = process.User ?? new UserSpec();
        string? name = null;
        if (result.GetValue(_user) is { } user)
        {
            (who, name) = ParseUser(user, who);
        }

        if (result.GetValue(_groups) is { Length: > 0 } groups)
        {
            who = who with { AdditionalGids = [.. who.AdditionalGids ?? [], .. groups] };
        }

        process = process with { User = who };

        if (result.GetValue(_capabilities) is { Length: > 0 } added)
        {
            process = process with { Capabilities = Add(process.Capabilities ?? new LinuxCapabilities(), added) };
        }

        if (result.GetValue(_apparmor) is { Length: > 0 } profile)
        {
            process = process with { ApparmorProfile = profile };
        }

        if (result.GetValue(_processLabel) is { Length: > 0 } label)
        {
            process = process with { SelinuxLabel = label };
        }

        return new ExecRequest(result.GetValue(_noNewPrivileges) ? process with { NoNewPrivileges = true } : process, name);
    }

    /// <summary>Numbers change the container's own user; anything else is a name, which only the container's files can resolve.</summary>
    internal static (UserSpec User, string? Name) ParseUser(string text, UserSpec ofContainer)
    {
        string[] parts = text.Split(':', 2);
        bool numeric = uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint uid);
        uint gid = ofContainer.Gid;
        numeric &= parts.Length == 1 || uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out gid);
        return text.Length == 0 || parts.Any(static part => part.Length == 0)
            ? throw new ArgumentException(
                $"Cannot use the user '{text}': a part of it is empty. Give USER or USER:GROUP, as names or numbers")
            : numeric ? (ofContainer with { Uid = uid, Gid = gid }, null) : (ofContainer, text);
    }

    private static ProcessSpec ReadProcess(string file)
    {
        try
        {
            return OciJson.ParseProcess(File.ReadAllBytes(file));
        }
        catch (InvalidSpecException error)
        {
            throw error.InFile(file);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            string cause = error is not UnauthorizedAccessException ? "it does not exist"
                : Directory.Exists(file) ? "it is a directory" : "permission is denied";
            throw new ArgumentException($"Cannot use the file '{file}': {cause}. Give --process a JSON file with an OCI process");
        }
    }

    private static LinuxCapabilities Add(LinuxCapabilities capabilities, string[] added) => capabilities with
    {
        Bounding = Union(capabilities.Bounding, added),
        Effective = Union(capabilities.Effective, added),
        Permitted = Union(capabilities.Permitted, added),
        Ambient = Union(capabilities.Ambient, added),
    };

    private static List<string> Union(IReadOnlyList<string>? existing, string[] added) =>
        [.. (existing ?? []).Union(added, StringComparer.Ordinal)];
}
