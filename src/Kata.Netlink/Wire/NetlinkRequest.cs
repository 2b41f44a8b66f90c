namespace Kata.Netlink;

/// <summary>A message that is to be sent, and the words for it in an error.</summary>
/// <param name="Message">Complete but for its sequence number.</param>
/// <param name="Operation">What it does: <c>add the link</c>.</param>
/// <param name="Subject">To what; empty where there is nothing to name.</param>
/// <param name="Borrowed">What holds the descriptors in the message: kept alive until it has been sent.</param>
internal sealed record NetlinkRequest(MessageWriter Message, string Operation, string Subject, object? Borrowed = null)
{
    public NetlinkException Refused(Acknowledgement answer) => new(Operation, Subject, answer.Errno, answer.Details);

    public NetlinkException Failed(NetlinkErrno errno, string? cause = null) => new(Operation, Subject, errno, cause: cause);
}
