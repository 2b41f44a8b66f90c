namespace Kata.Oci;

/// <summary>Checks what the types cannot: versions, absolute paths, known names, ranges, duplicates. Pure; touches no file.</summary>
public static partial class SpecValidator
{
    /// <summary>Checks the specification of a container that is to be created and started.</summary>
    /// <returns>What is odd and was accepted, as sentences for a log.</returns>
    /// <exception cref="InvalidSpecException">The first field that is wrong: what it holds and what it may hold.</exception>
    public static IReadOnlyList<string> Validate(RuntimeSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var warnings = new List<string>();
        CheckVersion(spec.OciVersion);
        if (spec.Root is null)
            throw new InvalidSpecException("/root", "is missing", "It must be an object with a 'path'");
        CheckText("/root/path", spec.Root.Path, "the root file system");
        if (spec.Process is null)
            throw new InvalidSpecException("/process", "is missing", "It must be an object with 'args' and 'cwd'");
        CheckProcess("/process", spec.Process, warnings);
        CheckMounts(spec.Mounts);
        CheckHooks(spec.Hooks);
        CheckHostname("/hostname", spec.Hostname);
        CheckHostname("/domainname", spec.Domainname);
        if (!string.IsNullOrEmpty(spec.Domainname) && spec.Linux?.Namespaces?.Any(static space => space.Type == "uts") != true)
        {
            throw new InvalidSpecException(
                "/domainname", $"holds {SpecText.Quote(spec.Domainname)} but there is no UTS namespace", "Add the namespace type 'uts'");
        }

        if (spec.Linux is not null)
            CheckLinux(spec, spec.Linux);
        return warnings;
    }

    /// <summary>Checks a process that is to run in a container, as <c>exec</c> takes it.</summary>
    /// <returns>What is odd and was accepted, as sentences for a log.</returns>
    /// <exception cref="InvalidSpecException">The first field that is wrong; the pointers start at the process.</exception>
    public static IReadOnlyList<string> ValidateProcess(ProcessSpec process)
    {
        ArgumentNullException.ThrowIfNull(process);
        var warnings = new List<string>();
        CheckProcess("", process, warnings);
        return warnings;
    }
}
