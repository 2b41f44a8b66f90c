namespace Kata.Linux;

/// <summary>How a process ended.</summary>
/// <param name="Code">Its exit code, or null when a signal ended it.</param>
/// <param name="Signal">The signal that ended it, or null.</param>
internal readonly record struct ExitStatus(int? Code, int? Signal)
{
    /// <summary>The shell's convention: the exit code, or 128 plus the signal.</summary>
    public int ToShellCode() => Code ?? (128 + (Signal ?? 0));

    public override string ToString() => Code is { } code ? $"exit code {code}" : $"signal {Signal}";

    /// <summary>Decodes the status word of wait4(2).</summary>
    public static ExitStatus FromWaitStatus(int status) =>
        (status & 0x7f) == 0 ? new ExitStatus((status >> 8) & 0xff, null) : new ExitStatus(null, status & 0x7f);
}
