namespace Kata.Netlink;

/// <summary>Makes a record of a message; null for one that is none of the wanted.</summary>
/// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
internal delegate T? MessageParser<T>(NetlinkMessage message)
    where T : class;
