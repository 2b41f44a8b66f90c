using System.Runtime.InteropServices;

namespace Kata.Linux;

/// <summary>The kernel refused a call. <see cref="Errno"/> is the number; the text says which call, on what, and why.</summary>
internal sealed class LinuxException : Exception
{
    /// <param name="call">The system call.</param>
    /// <param name="action">What it was for, with the object: <c>open the log '/x'</c>.</param>
    /// <param name="errno">The kernel's answer.</param>
    /// <param name="remedy">What to do, as a sentence without its full stop; null where only the number can tell.</param>
    internal LinuxException(string call, string action, Errno errno, string? remedy = null)
        : base($"Cannot {action}: {call}: {Describe(errno)}{((remedy ?? RemedyFor(errno)) is { } text ? $". {text}" : "")}")
    {
        Call = call;
        Errno = errno;
    }

    public string Call { get; }

    public Errno Errno { get; }

    /// <summary>What to do about errors whose remedy does not depend on what was being done; else null.</summary>
    internal static string? RemedyFor(Errno errno) => errno switch
    {
        Errno.EMFILE => "This process may open no more files: raise its limit ('ulimit -n', LimitNOFILE= of a systemd unit)",
        Errno.ENFILE => "The host may open no more files: raise it with 'sysctl fs.file-max', or end what holds them",
        _ => null,
    };

    /// <summary>Reads the error of the last <c>SetLastError</c> call of this thread; call it in the statement after the call.</summary>
    internal static LinuxException FromLastErrno(string call, string action) => new(call, action, (Errno)Marshal.GetLastPInvokeError());

    /// <summary>Throws when <paramref name="result"/> is negative, else returns it.</summary>
    internal static int ThrowIfNegative(int result, string call, string action) =>
        result < 0 ? throw FromLastErrno(call, action) : result;

    /// <inheritdoc cref="ThrowIfNegative(int,string,string)"/>
    internal static nint ThrowIfNegative(nint result, string call, string action) =>
        result < 0 ? throw FromLastErrno(call, action) : result;

    /// <summary>Throws when <paramref name="descriptor"/> is invalid, else returns it.</summary>
    internal static SafeFileDescriptor ThrowIfInvalid(SafeFileDescriptor descriptor, string call, string action)
    {
        if (!descriptor.IsInvalid)
        {
            return descriptor;
        }

        LinuxException error = FromLastErrno(call, action);
        descriptor.Dispose();
        throw error;
    }

    /// <summary>The kernel's words and the name of the number.</summary>
    internal static string Describe(Errno errno) => $"{Marshal.GetPInvokeErrorMessage((int)errno)} ({errno})";
}
