namespace Kata.Netlink;

/// <summary>
/// Changes that are sent together, many in one system call, and have a result each. Made by <see cref="NetlinkSocket.CreateBatch"/>. Not
/// safe for concurrent use.
/// </summary>
public sealed class NetlinkBatch : IRequestSink
{
    private readonly RequestChannel _channel;
    private readonly List<NetlinkRequest> _requests = [];

    internal NetlinkBatch(RequestChannel channel) => _channel = channel;

    /// <summary>How many changes wait to be sent.</summary>
    public int Count => _requests.Count;

    /// <summary>Changes of links, for later.</summary>
    public LinkChanges Links => field ??= new LinkChanges(this);

    /// <summary>Changes of addresses, for later.</summary>
    public AddressChanges Addresses => field ??= new AddressChanges(this);

    /// <summary>Changes of routes, for later.</summary>
    public RouteChanges Routes => field ??= new RouteChanges(this);

    /// <summary>Changes of rules, for later.</summary>
    public RuleChanges Rules => field ??= new RuleChanges(this);

    /// <summary>Changes of neighbours, for later.</summary>
    public NeighbourChanges Neighbours => field ??= new NeighbourChanges(this);

    /// <summary>Sends the changes as <see cref="SendEach"/> does; that one of them is refused is an exception, of the first.</summary>
    /// <exception cref="NetlinkException">The kernel refused a change, or did not answer.</exception>
    public void Send()
    {
        foreach (NetlinkException? refusal in SendEach())
        {
            if (refusal is not null)
            {
                throw refusal;
            }
        }
    }

    /// <summary>
    /// Sends the changes in the order in which they were made, and forgets them. Those after one that is refused are done even so.
    /// </summary>
    /// <returns>For each change why the kernel refused it; null where it is done.</returns>
    /// <exception cref="NetlinkException">The kernel did not answer: which of the changes are done is not known.</exception>
    public IReadOnlyList<NetlinkException?> SendEach()
    {
        NetlinkRequest[] requests = [.. _requests];
        _requests.Clear();
        return _channel.ExecuteAll(requests);
    }

    void IRequestSink.Submit(NetlinkRequest request) => _requests.Add(request);
}
