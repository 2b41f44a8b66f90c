using System.Runtime.InteropServices;

namespace Kata.Netlink;

/// <summary>
/// The kernel refused a request, or did not answer it. The text is <c>Cannot add the route '10.1.0.0/16': Nexthop has invalid gateway:
/// Network is unreachable (ENETUNREACH)</c>: what was to be done, with what, the kernel's own message where it has one, and the error.
/// </summary>
public sealed class NetlinkException : Exception
{
    internal NetlinkException(string operation, string subject, NetlinkErrno errno, ExtendedAck details = default, string? cause = null)
        : base(Text(operation, subject, errno, details, cause))
    {
        Operation = operation;
        Subject = subject;
        Errno = errno;
        KernelMessage = details.Message;
        AttributeOffset = details.Offset;
        MissingAttribute = details.MissingType;
    }

    /// <summary>What was to be done: <c>add the route</c>.</summary>
    public string Operation { get; }

    /// <summary>With what: <c>10.1.0.0/16</c>; empty where there is nothing to name.</summary>
    public string Subject { get; }

    /// <summary>
    /// The kernel's number. <see cref="NetlinkErrno.ETIMEDOUT"/> when it did not answer in time, <see cref="NetlinkErrno.EINTR"/> when a
    /// list was interrupted each time it was tried.
    /// </summary>
    public NetlinkErrno Errno { get; }

    /// <summary>The kernel's own words about this request (extended acknowledgement), null where it has none.</summary>
    public string? KernelMessage { get; }

    /// <summary>Where the attribute is that the kernel objects to, in bytes from the request's start; null if not told.</summary>
    public uint? AttributeOffset { get; }

    /// <summary>The type of the attribute that the request lacks; null if not told.</summary>
    public uint? MissingAttribute { get; }

    private static string Text(string operation, string subject, NetlinkErrno errno, ExtendedAck details, string? cause)
    {
        string what = subject.Length > 0 ? $"{operation} '{subject}'" : operation;
        cause ??= Describe(errno);
        string told = details.Message is { Length: > 0 } message ? $"{message}: {cause}" : cause;
        string where = details.Offset is { } offset ? $", at byte {offset} of the request" : "";
        string missing = details.MissingType is { } type ? $", attribute {type} is missing" : "";
        return $"Cannot {what}: {told}{where}{missing}";
    }

    private static string Describe(NetlinkErrno errno) => $"{Marshal.GetPInvokeErrorMessage((int)errno)} ({errno})";
}
