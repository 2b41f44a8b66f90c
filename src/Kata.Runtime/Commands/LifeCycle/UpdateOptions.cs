using System.CommandLine;
using System.Globalization;
using Kata.Oci;

namespace Kata.Runtime.Commands;

/// <summary>The options of <c>update</c>; runc's. All are texts, so that an error names the option and says what it may be.</summary>
internal sealed class UpdateOptions
{
    private readonly Option<string?> _resources = new("--resources", "-r")
    {
        Description = "JSON file with the limits to change, '-' for standard input; other options are ignored then",
        HelpName = "FILE",
    };
    private readonly Option<string?> _blkioWeight = Number(
        "--blkio-weight", "Refused, unless 0: the container's files are on no block device of the guest");
    private readonly Option<string?> _cpuPeriod = Number("--cpu-period", "Length of a period of processor time in microseconds");
    private readonly Option<string?> _cpuQuota = Number("--cpu-quota", "Processor time in a period in microseconds; -1 for no limit");
    private readonly Option<string?> _cpuBurst = Number("--cpu-burst", "Unused processor time that may be kept, in microseconds");
    private readonly Option<string?> _cpuShare = Number("--cpu-share", "Weight of the container against others of its pod");
    private readonly Option<string?> _cpuRtPeriod = Number("--cpu-rt-period", "Refused, unless 0: the guest has no real-time groups");
    private readonly Option<string?> _cpuRtRuntime = Number("--cpu-rt-runtime", "Refused, unless 0: the guest has no real-time groups");
    private readonly Option<string?> _cpuIdle = Number(
        "--cpu-idle", "1 to run only when others do not want the processor, 0 for the usual");
    private readonly Option<string?> _cpusetCpus = new("--cpuset-cpus")
    {
        Description = "Processors of the virtual machine to use, such as 0-1",
        HelpName = "LIST",
    };
    private readonly Option<string?> _cpusetMems = new("--cpuset-mems")
    {
        Description = "Memory nodes of the virtual machine to use",
        HelpName = "LIST",
    };
    private readonly Option<string?> _memory = Bytes("--memory", "Limit of memory; -1 for none");
    private readonly Option<string?> _memoryReservation = Bytes(
        "--memory-reservation", "Memory that is reclaimed only when nothing else can be");
    private readonly Option<string?> _memorySwap = Bytes("--memory-swap", "Limit of memory and swap together; -1 for none");
    private readonly Option<string?> _kernelMemory = Bytes("--kernel-memory", "Ignored: kernels no longer have this limit");
    private readonly Option<string?> _kernelMemoryTcp = Bytes("--kernel-memory-tcp", "Ignored: kernels no longer have this limit");
    private readonly Option<string?> _pidsLimit = Number("--pids-limit", "Limit of processes and threads; -1 for none");
    private readonly Option<string?> _l3CacheSchema = new("--l3-cache-schema")
    {
        Description = "Refused: the guest has no control over the host's caches",
        HelpName = "SCHEMA",
    };
    private readonly Option<string?> _memBwSchema = new("--mem-bw-schema")
    {
        Description = "Refused: the guest has no control over the host's memory bandwidth",
        HelpName = "SCHEMA",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            _resources, _blkioWeight, _cpuPeriod, _cpuQuota, _cpuBurst, _cpuShare, _cpuRtPeriod, _cpuRtRuntime, _cpuIdle, _cpusetCpus,
            _cpusetMems, _memory, _memoryReservation, _memorySwap, _kernelMemory, _kernelMemoryTcp, _pidsLimit, _l3CacheSchema,
            _memBwSchema,
        })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The limits to change.</summary>
    /// <param name="result">The parsed command.</param>
    /// <param name="openInput">Opens standard input, for <c>--resources -</c>.</param>
    /// <param name="warnings">Gets a line for each option that is ignored.</param>
    /// <exception cref="ArgumentException">A value is malformed, or an option cannot be honoured in a VM.</exception>
    /// <exception cref="InvalidSpecException">The document is malformed.</exception>
    public LinuxResources Build(ParseResult result, Func<Stream> openInput, TextWriter warnings)
    {
        foreach (Option<string?> option in new[] { _l3CacheSchema, _memBwSchema })
        {
            if (result.GetValue(option) is { Length: > 0 })
            {
                throw new ArgumentException($"Cannot use {option.Name}: Intel RDT is not enabled in the guest. Leave it out");
            }
        }

        if (result.GetValue(_resources) is { Length: > 0 } file)
        {
            return Read(file, openInput);
        }

        foreach (Option<string?> option in new[] { _kernelMemory, _kernelMemoryTcp })
        {
            if (result.GetValue(option) is { Length: > 0 })
            {
                warnings.WriteLine($"kata-runtime: {option.Name} is ignored: kernels no longer have this limit");
            }
        }

        return new LinuxResources
        {
            Cpu = new LinuxCpu
            {
                Period = Unsigned(result, _cpuPeriod),
                Quota = Signed(result, _cpuQuota),
                Burst = Unsigned(result, _cpuBurst),
                Shares = Unsigned(result, _cpuShare),
                RealtimePeriod = Unsigned(result, _cpuRtPeriod),
                RealtimeRuntime = Signed(result, _cpuRtRuntime),
                Idle = Signed(result, _cpuIdle),
                Cpus = result.GetValue(_cpusetCpus),
                Mems = result.GetValue(_cpusetMems),
            },
            Memory = new LinuxMemory
            {
                Limit = Size(result, _memory),
                Reservation = Size(result, _memoryReservation),
                Swap = Size(result, _memorySwap),
            },
            Pids = new LinuxPids { Limit = Signed(result, _pidsLimit) },
            BlockIO = Unsigned(result, _blkioWeight) is { } weight
                ? new LinuxBlockIO { Weight = (ushort)Math.Min(weight, ushort.MaxValue) }
                : null,
        };
    }

    private static LinuxResources Read(string file, Func<Stream> openInput)
    {
        const string What = "Give --resources a JSON file with OCI resources, or '-' for standard input";
        try
        {
            using Stream stream = file == "-" ? openInput() : File.OpenRead(file);
            return OciJson.ParseResources(ReadBounded(stream));
        }
        catch (InvalidSpecException error)
        {
            throw error.InFile(file);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            string cause = error is not UnauthorizedAccessException ? "it does not exist"
                : Directory.Exists(file) ? "it is a directory" : "permission is denied";
            throw new ArgumentException($"Cannot use the file '{file}': {cause}. {What}");
        }
    }

    // One byte more than may be parsed, so that the parser says that it is too much.
    private static byte[] ReadBounded(Stream stream)
    {
        using var buffer = new MemoryStream();
        byte[] piece = new byte[16 * 1024];
        for (int length; buffer.Length <= OciJson.MaxBytes && (length = stream.Read(piece)) > 0;)
        {
            buffer.Write(piece, 0, length);
        }

        return buffer.ToArray();
    }

    private static ulong? Unsigned(ParseResult result, Option<string?> option) => result.GetValue(option) is not { Length: > 0 } text ? null
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value
        : throw Malformed(option, text, "a whole number");

    private static long? Signed(ParseResult result, Option<string?> option) => result.GetValue(option) is not { Length: > 0 } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
        : throw Malformed(option, text, "a whole number");

    private static long? Size(ParseResult result, Option<string?> option) => result.GetValue(option) is not { Length: > 0 } text ? null
        : SizeText.Parse(text) ?? throw Malformed(option, text, "a number of bytes, perhaps with k, m, g, t or p, or -1");

    private static ArgumentException Malformed(Option option, string text, string allowed) =>
        new($"Cannot use {option.Name} '{text}': it is malformed. Give {allowed}");

    private static Option<string?> Number(string name, string description) => new(name) { Description = description, HelpName = "NUMBER" };

    private static Option<string?> Bytes(string name, string description) => new(name) { Description = description, HelpName = "BYTES" };
}
