namespace Kata.Netlink;

/// <summary>Where changes go: to the kernel at once, or into a batch.</summary>
internal interface IRequestSink
{
    void Submit(NetlinkRequest request);
}
