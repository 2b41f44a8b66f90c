using System.Globalization;
using System.Text;
using static Kata.Oci.FieldRules;

namespace Kata.Oci;

/// <summary>Checks what the types cannot: versions, absolute paths, known names, ranges, duplicates. Pure; touches no file.</summary>
public static class SpecValidator
{
    private const int MaxHostname = 64; // __NEW_UTS_LEN, linux/utsname.h

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
        ProcessRules.Check("/process", spec.Process, warnings);
        MountRules.Check(spec.Mounts);
        HookRules.Check(spec.Hooks);
        CheckHostname("/hostname", spec.Hostname);
        CheckHostname("/domainname", spec.Domainname);
        if (!string.IsNullOrEmpty(spec.Domainname) && spec.Linux?.Namespaces?.Any(static space => space.Type == "uts") != true)
        {
            throw new InvalidSpecException(
                "/domainname", $"holds {SpecText.Quote(spec.Domainname)} but there is no UTS namespace", "Add the namespace type 'uts'");
        }

        if (spec.Linux is not null)
            LinuxRules.Check(spec, spec.Linux);
        return warnings;
    }

    /// <summary>Checks a process that is to run in a container, as <c>exec</c> takes it.</summary>
    /// <returns>What is odd and was accepted, as sentences for a log.</returns>
    /// <exception cref="InvalidSpecException">The first field that is wrong; the pointers start at the process.</exception>
    public static IReadOnlyList<string> ValidateProcess(ProcessSpec process)
    {
        ArgumentNullException.ThrowIfNull(process);
        var warnings = new List<string>();
        ProcessRules.Check("", process, warnings);
        return warnings;
    }

    /// <summary>Checks the limits of a container, as <c>update</c> takes them.</summary>
    /// <exception cref="InvalidSpecException">The first field that is wrong; the pointers start at the resources.</exception>
    public static void ValidateResources(LinuxResources resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        ResourceRules.Check("", resources);
    }

    private static void CheckVersion(string version)
    {
        const string Remedy = "It must be a version of the OCI runtime specification from 1.0.0 on and below 2.0.0, such as '1.0.2'";
        string core = version.Split('-', '+')[0];
        string[] parts = core.Split('.');
        bool valid = version.Length <= MaxHostname && parts.Length == 3 && parts[0] == "1";
        foreach (string part in parts)
        {
            // SemVer 2.0.0 section 2: no leading zeros.
            valid &= int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _) && (part.Length == 1 || part[0] != '0');
        }

        foreach (char c in version.AsSpan(core.Length))
            valid &= char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '+';
        if (!valid || version[^1] is '-' or '+')
            throw Bad("/ociVersion", version, Remedy);
    }

    private static void CheckHostname(string pointer, string? name)
    {
        if (name is null)
            return;
        CheckNoNul(pointer, name);
        int bytes = Encoding.UTF8.GetByteCount(name);
        if (bytes > MaxHostname)
        {
            throw new InvalidSpecException(
                pointer,
                string.Create(CultureInfo.InvariantCulture, $"holds a name of {bytes} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"The kernel takes at most {MaxHostname}"));
        }
    }
}
