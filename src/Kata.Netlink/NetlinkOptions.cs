namespace Kata.Netlink;

/// <summary>Limits of a <see cref="NetlinkSocket"/>.</summary>
public sealed class NetlinkOptions
{
    /// <summary>
    /// How long the kernel may take to answer; above it a request fails with <see cref="NetlinkErrno.ETIMEDOUT"/>. It answers before a
    /// request has been sent, so this only keeps a caller from waiting for ever.
    /// </summary>
    public TimeSpan ReceiveTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How often a list is tried that changes while it is read. Above it the list fails with <see cref="NetlinkErrno.EINTR"/>.
    /// </summary>
    public int MaxListAttempts { get; init; } = 20;

    internal static NetlinkOptions Validate(NetlinkOptions? options)
    {
        options ??= new NetlinkOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ReceiveTimeout, TimeSpan.FromMilliseconds(1), nameof(ReceiveTimeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ReceiveTimeout, TimeSpan.FromHours(1), nameof(ReceiveTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxListAttempts, 1, nameof(MaxListAttempts));
        return options;
    }
}
