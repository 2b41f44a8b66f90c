using Kata.Linux;

namespace Kata.Storage;

/// <summary>Which virtiofsd an executable is by its own words, and what follows from that.</summary>
/// <param name="Kind">
/// One of the two programs of that name. Paths do not tell: Debian 13's <c>/usr/lib/qemu/virtiofsd</c> is a link to the Rust one.
/// </param>
/// <param name="Version">QEMU's version for the C daemon, its own for the Rust one.</param>
internal sealed record VirtioFsDaemonProgram(VirtioFsDaemonKind Kind, Version Version)
{
    private const string Banner = "virtiofsd ";
    private const int KeptLines = 50;
    private const int QuotedLines = 2;

    /// <summary>It prints two lines. A file server that cannot do that for so long serves no pod either.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Rust 1.5 appends by RWF_APPEND, write by write; before it, and always in C, a page mapped from an O_APPEND file is appended too.
    /// </summary>
    private static readonly Version s_firstThatAppendsByWrite = new(1, 5);

    /// <summary>Whether what is written to a shared mapping of a file that was opened with O_APPEND lands where it belongs.</summary>
    public bool MapsAppendedFiles => Kind == VirtioFsDaemonKind.Rust && Version >= s_firstThatAppendsByWrite;

    /// <summary>Which of the two, with its version, for people.</summary>
    public override string ToString() => Kind == VirtioFsDaemonKind.C ? $"C {Version} (QEMU's)" : $"Rust {Version}";

    /// <summary>Asks the program for its version.</summary>
    /// <exception cref="StorageException">It is missing, does not start, or is no virtiofsd; with its own words.</exception>
    public static async Task<VirtioFsDaemonProgram> AskAsync(string path, TimeProvider time)
    {
        if (!File.Exists(path))
        {
            throw new StorageException(
                $"Cannot find virtiofsd at '{path}'. "
                    + "Install 'virtiofsd' (Debian 12: 'qemu-system-common'), or set 'virtio_fs_daemon' in [hypervisor.qemu]");
        }

        var lines = new LineTail(KeptLines);
        (SafeFileDescriptor ours, SafeFileDescriptor theirs) = Pipe.Create();
        ChildProcess process;
        try
        {
            (string executable, IReadOnlyList<string> arguments) = CommandOf(path, ["virtiofsd", "--version"]);
            process = ChildProcess.Start(new SpawnOptions
            {
                Path = executable,
                Arguments = arguments,
                Environment = [],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [1] = theirs, [2] = theirs },
                WorkingDirectory = "/",
            });
        }
        catch (LinuxException error)
        {
            ours.Dispose();
            throw new StorageException($"Cannot ask virtiofsd '{path}' for its version", error);
        }
        finally
        {
            theirs.Dispose();
        }

        await using var stream = new DescriptorStream(ours);
        Task words = lines.FillAsync(stream); // ends when the last writer is gone, or with the stream
        try
        {
            await Task.WhenAll(words, process.Exited).WaitAsync(s_limit, time);
        }
        catch (TimeoutException)
        {
            process.Kill(Signals.SIGKILL);
            throw new StorageException(
                $"Cannot ask virtiofsd '{path}' for its version: no answer in {s_limit.TotalSeconds} s. "
                    + $"Run '{path} --version' by hand");
        }

        return Parse(path, lines.Last(KeptLines), await process.Exited);
    }

    /// <summary>
    /// What to execute for a daemon. One of a newer release than the host's has its libraries and its loader (ld.so(8)) beside it, and is
    /// started by that.
    /// </summary>
    /// <param name="path">The daemon.</param>
    /// <param name="arguments">Its argument vector, its name first.</param>
    internal static (string Executable, IReadOnlyList<string> Arguments) CommandOf(string path, IReadOnlyList<string> arguments)
    {
        string directory = Path.GetDirectoryName(path) ?? "/";
        string? loader = Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "ld-linux*.so.*").FirstOrDefault() : null;
        return loader is null
            ? (path, arguments)
            : (loader, [arguments[0], "--library-path", directory, "--argv0", arguments[0], path, .. arguments.Skip(1)]);
    }

    /// <summary>
    /// Reads what <c>--version</c> printed: "virtiofsd version 7.2.22 (Debian …)" is QEMU's,
    /// "virtiofsd 1.13.2" or "virtiofsd backend 1.2.0" the other.
    /// </summary>
    /// <param name="path">The program, for the error.</param>
    /// <param name="lines">What it said on both of its streams.</param>
    /// <param name="status">How it ended, which is told of a program that is neither.</param>
    /// <exception cref="StorageException">It is neither.</exception>
    internal static VirtioFsDaemonProgram Parse(string path, IReadOnlyList<string> lines, ExitStatus status)
    {
        foreach (string line in lines)
        {
            if (!line.StartsWith(Banner, StringComparison.Ordinal))
            {
                continue;
            }

            string[] words = line[Banner.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            bool isC = words is ["version", ..];
            string number = words is ["version" or "backend", { } second, ..] ? second : words.FirstOrDefault() ?? "";
            if (Version.TryParse(number.TrimStart('v').Split('-', '+')[0], out Version? version))
            {
                return new VirtioFsDaemonProgram(isC ? VirtioFsDaemonKind.C : VirtioFsDaemonKind.Rust, version);
            }
        }

        string said = lines.Count == 0 ? "nothing" : $"'{string.Join(" | ", lines.Take(QuotedLines))}'";
        string end = status.Code == 0 ? "" : $" and ends with {status}";
        throw new StorageException(
            $"Cannot use '{path}' as virtiofsd: it answers '--version' with {said}{end}. "
                + "Set 'virtio_fs_daemon' to the virtiofsd of QEMU or of virtio-fs.gitlab.io");
    }
}
