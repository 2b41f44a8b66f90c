namespace Kata.Netlink;

/// <summary>Error numbers of Linux that rtnetlink answers with; others keep their number (asm-generic/errno-base.h, errno.h).</summary>
public enum NetlinkErrno
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>The caller needs CAP_NET_ADMIN in the network namespace.</summary>
    EPERM = 1,

    /// <summary>There is no such thing; a classifier or qdisc that this kernel does not have, too.</summary>
    ENOENT = 2,

    /// <summary>There is no such route.</summary>
    ESRCH = 3,

    /// <summary>What was listed changed meanwhile, each time it was tried.</summary>
    EINTR = 4,

    /// <summary>The link has no such address, or does not exist.</summary>
    ENXIO = 6,

    /// <summary>A descriptor is not open.</summary>
    EBADF = 9,

    /// <summary>Nothing has arrived.</summary>
    EAGAIN = 11,

    /// <summary>The kernel is short of memory.</summary>
    ENOMEM = 12,

    /// <summary>The caller may not do that.</summary>
    EACCES = 13,

    /// <summary>It is in use.</summary>
    EBUSY = 16,

    /// <summary>It is there already.</summary>
    EEXIST = 17,

    /// <summary>There is no such link.</summary>
    ENODEV = 19,

    /// <summary>A value is wrong.</summary>
    EINVAL = 22,

    /// <summary>The table of files is full.</summary>
    ENFILE = 23,

    /// <summary>This process may open no more files.</summary>
    EMFILE = 24,

    /// <summary>There is no room left.</summary>
    ENOSPC = 28,

    /// <summary>A number is out of its range.</summary>
    ERANGE = 34,

    /// <summary>A list of links is too deep, or would have a loop.</summary>
    ELOOP = 40,

    /// <summary>The kernel has no such protocol.</summary>
    EPROTONOSUPPORT = 93,

    /// <summary>The kernel, or the link, cannot do that.</summary>
    EOPNOTSUPP = 95,

    /// <summary>The kernel has no such address family.</summary>
    EAFNOSUPPORT = 97,

    /// <summary>Another link has it.</summary>
    EADDRINUSE = 98,

    /// <summary>There is no such address.</summary>
    EADDRNOTAVAIL = 99,

    /// <summary>The link is down.</summary>
    ENETDOWN = 100,

    /// <summary>A next hop cannot be reached.</summary>
    ENETUNREACH = 101,

    /// <summary>Messages were lost, because the receive buffer was full.</summary>
    ENOBUFS = 105,

    /// <summary>The kernel has not answered in time.</summary>
    ETIMEDOUT = 110,

    /// <summary>A next hop cannot be reached.</summary>
    EHOSTUNREACH = 113,
}
