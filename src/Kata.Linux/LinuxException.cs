using System.Runtime.InteropServices;

namespace Kata.Linux;

/// <summary>The kernel refused a call. <see cref="Errno"/> is the number; the text says which call, on what, and why.</summary>
internal sealed class LinuxException : Exception
{
    internal LinuxException(string call, string action, Errno errno)
        : base($"Cannot {action}: {call}: {Describe(errno)}")
    {
        Call = call;
        Errno = errno;
    }

    public string Call { get; }

    public Errno Errno { get; }

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

    private static string Describe(Errno errno) => $"{Marshal.GetPInvokeErrorMessage((int)errno)} ({errno})";
}
