using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// Links, addresses, routes, rules, neighbours and traffic control of one network namespace, by rtnetlink.
/// </summary>
/// <remarks>
/// <para>It belongs to the network namespace of the thread that makes it, for ever, whatever thread uses it.</para>
/// <para>Requests block, as the kernel works on them inside the call. Safe for concurrent use, one request at a time. Reading needs no
/// capability, changes need CAP_NET_ADMIN.</para>
/// <para>Every member throws <see cref="NetlinkException"/> when the kernel refuses, and <see cref="NetlinkProtocolException"/> when its
/// answer makes no sense. Values that cannot be sent, as names with a NUL or addresses of two families, are an
/// <see cref="ArgumentException"/>.</para>
/// </remarks>
public sealed class NetlinkSocket : IDisposable, IRequestSink
{
    private readonly RequestChannel _channel;

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public NetlinkSocket(NetlinkOptions? options = null)
    {
        options = NetlinkOptions.Validate(options);
        _channel = new RequestChannel(KernelTransport.OpenForRequests(options.ReceiveTimeout), options);
    }

    internal NetlinkSocket(INetlinkTransport transport, NetlinkOptions options) => _channel = new RequestChannel(transport, options);

    /// <summary>Network interfaces.</summary>
    public LinkOperations Links => field ??= new LinkOperations(this, _channel);

    /// <summary>IP addresses of links.</summary>
    public AddressOperations Addresses => field ??= new AddressOperations(this, _channel);

    /// <summary>Routes.</summary>
    public RouteOperations Routes => field ??= new RouteOperations(this, _channel);

    /// <summary>Rules that say which table a packet is looked up in.</summary>
    public RuleOperations Rules => field ??= new RuleOperations(this, _channel);

    /// <summary>Neighbours on links.</summary>
    public NeighbourOperations Neighbours => field ??= new NeighbourOperations(this, _channel);

    /// <summary>How links order packets.</summary>
    public QdiscOperations Qdiscs => field ??= new QdiscOperations(_channel);

    /// <summary>Shares of what a link sends.</summary>
    public ClassOperations Classes => field ??= new ClassOperations(_channel);

    /// <summary>What is done with packets as they come in or go out.</summary>
    public FilterOperations Filters => field ??= new FilterOperations(_channel);

    /// <summary>A new batch: changes that are sent together.</summary>
    public NetlinkBatch CreateBatch() => new(_channel);

    /// <summary>The id that this namespace has for another (<see cref="Link.ParentNamespaceId"/>); null when it has none.</summary>
    /// <param name="networkNamespace">An open descriptor of the other. Borrowed.</param>
    public int? GetNamespaceId(SafeHandle networkNamespace)
    {
        ArgumentNullException.ThrowIfNull(networkNamespace);
        var message = new MessageWriter(Rtnl.RTM_GETNSID, 0);
        WriteNamespace(message, networkNamespace);
        NamespaceId id = _channel.Get(
            new NetlinkRequest(message, "get the id of the network namespace", "", networkNamespace), NamespaceId.Read);
        return id.Value >= 0 ? id.Value : null;
    }

    /// <summary>Gives another namespace an id in this one, which it then keeps.</summary>
    /// <param name="networkNamespace">An open descriptor of the other. Borrowed.</param>
    /// <param name="id">From 0; null leaves it to the kernel.</param>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.EEXIST"/> when it has one.</exception>
    public void SetNamespaceId(SafeHandle networkNamespace, int? id = null)
    {
        ArgumentNullException.ThrowIfNull(networkNamespace);
        var message = new MessageWriter(Rtnl.RTM_NEWNSID, Rtnl.NLM_F_ACK);
        WriteNamespace(message, networkNamespace);
        message.Int32(Rtnl.NETNSA_NSID, id ?? -1);
        _channel.Execute(new NetlinkRequest(message, "set the id of the network namespace", "", networkNamespace));
    }

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _channel.Dispose();

    void IRequestSink.Submit(NetlinkRequest request) => _channel.Execute(request);

    private static void WriteNamespace(MessageWriter message, SafeHandle networkNamespace)
    {
        message.Structure(0u); // struct rtgenmsg, a byte, and its padding
        message.Int32(Rtnl.NETNSA_FD, BorrowedDescriptor.Number(networkNamespace));
    }
}
