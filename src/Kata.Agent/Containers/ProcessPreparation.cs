using System.Globalization;
using Kata.Agent.Network;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Containers;

/// <summary>
/// Fills in what a process has by runc's rules and crun 1.8 does not give it: who a name is, HOME, names of programs, limits.
/// </summary>
internal sealed class ProcessPreparation(ILogger logger)
{
    private const int DatabaseLimit = 1024 * 1024; // an /etc/passwd larger than this is an attack, not a database
    private const string OpenFilesSetting = "/proc/sys/fs/nr_open";
    private const ulong OpenFilesLimit = 0x7fffffc0; // what the kernel takes for it at most: sysctl_nr_open_max, fs/file.c
    private const string Home = "HOME=";

    /// <param name="process">Changed in place.</param>
    /// <param name="user">A user to resolve by the container's files, or null.</param>
    /// <param name="extension">What the common protocol has no place for, or null.</param>
    /// <param name="files">The container's.</param>
    /// <exception cref="Grpc.Core.RpcException">There is no such user, group or program.</exception>
    public void Prepare(Process process, StringUser? user, ProcessExtension? extension, ContainerFiles files)
    {
        bool isNamed = user is not null && (user.Uid.Length > 0 || user.Gid.Length > 0 || user.AdditionalGids.Count > 0);
        var database = new UserDatabase(
            files.ReadText("/etc/passwd", DatabaseLimit) ?? "", isNamed ? files.ReadText("/etc/group", DatabaseLimit) ?? "" : "");
        if (isNamed)
        {
            process.User = database.Resolve(user!);
        }

        SetHome(process, database);
        FindProgram(process, files);
        AddLimits(process, extension);
        NetworkModules.PrepareFor(process);
    }

    /// <summary>Sets HOME unless it is given, as anything but nothing.</summary>
    internal static void SetHome(Process process, UserDatabase database)
    {
        if (process.Env.LastOrDefault(static item => item.StartsWith(Home, StringComparison.Ordinal)) is { } given && given != Home)
        {
            return;
        }

        string[] others = [.. process.Env.Where(static item => !item.StartsWith(Home, StringComparison.Ordinal))];
        process.Env.Clear();
        process.Env.Add([.. others, Home + database.HomeOf(process.User?.UID ?? 0)]);
    }

    /// <summary>
    /// Looks a name that begins with a dot up in PATH: crun takes it for a path. Its program sees the path as its name then, because crun
    /// finds the program by that word.
    /// </summary>
    internal static void FindProgram(Process process, ContainerFiles files)
    {
        if (process.Args.Count == 0 || !process.Args[0].StartsWith('.') || process.Args[0].Contains('/', StringComparison.Ordinal))
        {
            return;
        }

        string name = process.Args[0];
        string path = process.Env.LastOrDefault(static item => item.StartsWith("PATH=", StringComparison.Ordinal)) ?? "PATH=";
        process.Args[0] = path["PATH=".Length..].Split(':')
            .Where(static directory => directory.StartsWith('/'))
            .Select(directory => $"{directory.TrimEnd('/')}/{name}")
            .FirstOrDefault(files.IsProgram) ?? throw CrunErrors.NoProgram(name);
    }

    // Its caller's limits hold for what it does not name itself. Engines copy the host's numbers: where the guest's kernel cannot give so
    // many open files, it is the most that it can.
    private void AddLimits(Process process, ProcessExtension? extension)
    {
        foreach (InheritedLimit limit in extension?.InheritedLimits ?? [])
        {
            if (process.Rlimits.All(own => own.Type != limit.Type))
            {
                process.Rlimits.Add(new POSIXRlimit { Type = limit.Type, Soft = limit.Soft, Hard = limit.Hard });
            }
        }

        foreach (POSIXRlimit limit in process.Rlimits)
        {
            if (limit.Type == ResourceLimits.OpenFiles)
            {
                limit.Hard = AllowOpenFiles(limit.Hard);
                limit.Soft = Math.Min(limit.Soft, limit.Hard);
            }

            // crun sets them as the container's root, which in a user namespace may only lower what it has from us.
            ResourceLimits.RaiseHard(limit.Type, limit.Hard);
        }
    }

    private ulong AllowOpenFiles(ulong wanted)
    {
        ulong allowed = Read();
        if (wanted > allowed)
        {
            try
            {
                File.WriteAllText(OpenFilesSetting, Math.Min(wanted, OpenFilesLimit).ToString(CultureInfo.InvariantCulture));
            }
            catch (IOException error)
            {
                logger.LimitNotRaised(OpenFilesSetting, ErrorText.CauseOf(error));
            }

            allowed = Read();
        }

        return Math.Min(wanted, allowed);

        static ulong Read() => ulong.Parse(File.ReadAllText(OpenFilesSetting), CultureInfo.InvariantCulture);
    }
}
