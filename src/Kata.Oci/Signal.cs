using System.Globalization;

namespace Kata.Oci;

/// <summary>A signal of x86-64 and arm64 Linux, as callers write it: by name, with or without <c>SIG</c>, or by number.</summary>
public readonly record struct Signal
{
    private const int RealTimeMin = 34; // the C library keeps 32 and 33 for itself
    private const int Last = 64;

    private static readonly string[] s_names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    private Signal(int number) => Number = number;

    /// <summary>The number, 1 to 64; 0 for the default value, which is no signal.</summary>
    public int Number { get; }

    /// <summary>The name with <c>SIG</c>, such as <c>SIGTERM</c> or <c>SIGRTMIN+3</c>; the number where there is no name.</summary>
    public string Name => Number switch
    {
        > 0 when Number < s_names.Length => "SIG" + s_names[Number],
        RealTimeMin => "SIGRTMIN",
        Last => "SIGRTMAX",
        > RealTimeMin and < Last => string.Create(CultureInfo.InvariantCulture, $"SIGRTMIN+{Number - RealTimeMin}"),
        _ => Number.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Reads <c>SIGTERM</c>, <c>term</c>, <c>15</c>, <c>SIGRTMIN+3</c> or <c>RTMAX-1</c>, in any case of letters.</summary>
    /// <exception cref="InvalidSpecException">The text names no signal.</exception>
    public static Signal Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out Signal signal) ? signal : throw InvalidSpecException.ForSignal(text);
    }

    /// <summary>As <see cref="Parse"/>, without the exception.</summary>
    public static bool TryParse(string? text, out Signal signal)
    {
        int number = Find(text);
        signal = new Signal(number);
        return number != 0;
    }

    /// <summary>The same as <see cref="Name"/>.</summary>
    public override string ToString() => Name;

    private static int Find(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return 0;

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            return number is >= 1 and <= Last ? number : 0;

        ReadOnlySpan<char> name = text;
        if (name.StartsWith("SIG", StringComparison.OrdinalIgnoreCase))
            name = name[3..];
        if (name.IsEmpty)
            return 0;

        for (int i = 1; i < s_names.Length; i++)
        {
            if (name.Equals(s_names[i], StringComparison.OrdinalIgnoreCase))
                return i;
        }

        if (name.StartsWith("RTMIN", StringComparison.OrdinalIgnoreCase))
            return Offset(name[5..], '+') is { } up && RealTimeMin + up <= Last ? RealTimeMin + up : 0;
        if (name.StartsWith("RTMAX", StringComparison.OrdinalIgnoreCase))
            return Offset(name[5..], '-') is { } down && Last - down >= RealTimeMin ? Last - down : 0;

        return name switch
        {
            _ when name.Equals("IOT", StringComparison.OrdinalIgnoreCase) => 6,
            _ when name.Equals("CLD", StringComparison.OrdinalIgnoreCase) => 17,
            _ when name.Equals("POLL", StringComparison.OrdinalIgnoreCase) => 29,
            _ => 0,
        };
    }

    private static int? Offset(ReadOnlySpan<char> text, char sign)
    {
        if (text.IsEmpty)
            return 0;
        return text[0] == sign && int.TryParse(text[1..], NumberStyles.None, CultureInfo.InvariantCulture, out int offset) && offset < Last
            ? offset
            : null;
    }
}
