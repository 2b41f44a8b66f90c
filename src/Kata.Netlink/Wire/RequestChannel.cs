using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>
/// Requests and their answers on one socket, one request at a time. The kernel works on a request inside the send, so the answers lie in
/// the receive buffer when it returns; of a list they are made as they are read. An answer is known by its sequence number: one that is
/// older belongs to a request that was given up, and is passed over; one that is newer cannot be.
/// </summary>
internal sealed class RequestChannel(INetlinkTransport transport, NetlinkOptions options) : IDisposable
{
    // Each answer takes about a kilobyte of the receive buffer, which has 208 unless the system says otherwise.
    private const int MaxBatchRequests = 64;
    private const int MaxBatchBytes = 32 * 1024;

    // As much as the kernel makes of a list at once for a reader that has no room for more (NLMSG_GOODSIZE of linux/netlink.h). A channel
    // lives as long as its pod, which nearly never has a longer list.
    private const int InitialBufferSize = 8 * 1024;

    private readonly Lock _gate = new();
    private byte[] _buffer = new byte[InitialBufferSize]; // guarded by _gate
    private uint _sequence; // guarded by _gate

    /// <summary>Sends one change and waits for its acknowledgement.</summary>
    /// <exception cref="NetlinkException">The kernel refused it, or did not answer.</exception>
    public void Execute(NetlinkRequest request)
    {
        NetlinkException?[] results = new NetlinkException?[1];
        lock (_gate)
        {
            ExecuteTogether([request], results);
        }

        if (results[0] is { } refusal)
        {
            throw refusal;
        }
    }

    /// <summary>Sends many changes in few datagrams. One that is refused does not keep the kernel from those after it.</summary>
    /// <returns>For each request its refusal; null where it was done.</returns>
    /// <exception cref="NetlinkException">The kernel did not answer: which of the changes are done is not known.</exception>
    public NetlinkException?[] ExecuteAll(ReadOnlySpan<NetlinkRequest> requests)
    {
        var results = new NetlinkException?[requests.Length];
        lock (_gate)
        {
            for (int start = 0; start < requests.Length;)
            {
                int count = 1;
                int bytes = requests[start].Message.Length;
                while (start + count < requests.Length && count < MaxBatchRequests
                    && bytes + requests[start + count].Message.Length <= MaxBatchBytes)
                {
                    bytes += requests[start + count++].Message.Length;
                }

                ExecuteTogether(requests.Slice(start, count), results.AsSpan(start, count));
                start += count;
            }
        }

        return results;
    }

    /// <summary>Asks for one thing.</summary>
    /// <exception cref="NetlinkException">The kernel refused, or did not answer.</exception>
    /// <exception cref="NetlinkProtocolException">The answer makes no sense.</exception>
    public T Get<T>(NetlinkRequest request, MessageParser<T> parse)
        where T : class
    {
        lock (_gate)
        {
            uint sequence = Send([request]);
            while (true)
            {
                var messages = new MessageReader(Receive(request));
                while (messages.Read(out NetlinkMessage message))
                {
                    if (IsStale(message, sequence, sequence))
                    {
                        continue;
                    }

                    if (message.Type == Rtnl.NLMSG_ERROR)
                    {
                        Acknowledgement answer = Acknowledgement.Read(message);
                        throw answer.Errno != NetlinkErrno.None ? request.Refused(answer)
                            : new NetlinkProtocolException("the answer to a question is an acknowledgement");
                    }

                    if (message.Type >= Rtnl.NLMSG_MIN_TYPE)
                    {
                        return parse(message) ?? throw new NetlinkProtocolException($"the answer is of type {message.Type}");
                    }
                }
            }
        }
    }

    /// <summary>Asks for a list, again when it changed while it was read.</summary>
    /// <exception cref="NetlinkException">The kernel refused, did not answer, or the list was interrupted each time.</exception>
    /// <exception cref="NetlinkProtocolException">The answer makes no sense.</exception>
    public IReadOnlyList<T> List<T>(NetlinkRequest request, MessageParser<T> parse)
        where T : class
    {
        lock (_gate)
        {
            for (int attempt = 0; attempt < options.MaxListAttempts; attempt++)
            {
                var items = new List<T>();
                if (ListOnce(request, parse, items))
                {
                    return items;
                }
            }
        }

        throw request.Failed(NetlinkErrno.EINTR, $"it changed while it was read, {options.MaxListAttempts} times");
    }

    public void Dispose() => transport.Dispose();

    /// <returns>False when the list was interrupted: something in it changed.</returns>
    private bool ListOnce<T>(NetlinkRequest request, MessageParser<T> parse, List<T> items)
        where T : class
    {
        uint sequence = Send([request]);
        bool isComplete = true;
        NetlinkProtocolException? failure = null;
        while (true)
        {
            var messages = new MessageReader(Receive(request));
            while (messages.Read(out NetlinkMessage message))
            {
                if (IsStale(message, sequence, sequence))
                {
                    continue;
                }

                isComplete &= (message.Flags & Rtnl.NLM_F_DUMP_INTR) == 0;
                if (message.Type is Rtnl.NLMSG_DONE or Rtnl.NLMSG_ERROR)
                {
                    Acknowledgement answer = Acknowledgement.Read(message);
                    return failure is not null ? throw failure
                        : answer.Errno == NetlinkErrno.None ? isComplete
                        : answer.Errno == NetlinkErrno.EINTR ? false
                        : throw request.Refused(answer);
                }

                // Read to its end even so: the kernel begins no other list on this socket before.
                if (failure is null && message.Type >= Rtnl.NLMSG_MIN_TYPE)
                {
                    try
                    {
                        if (parse(message) is { } item)
                        {
                            items.Add(item);
                        }
                    }
                    catch (NetlinkProtocolException error)
                    {
                        failure = error;
                    }
                }
            }
        }
    }

    private void ExecuteTogether(ReadOnlySpan<NetlinkRequest> requests, Span<NetlinkException?> results)
    {
        uint first = Send(requests);
        uint last = first + (uint)requests.Length - 1;
        Span<bool> isAnswered = stackalloc bool[MaxBatchRequests];
        for (int left = requests.Length; left > 0;)
        {
            var messages = new MessageReader(Receive(requests[0]));
            while (messages.Read(out NetlinkMessage message))
            {
                if (IsStale(message, first, last) || message.Type != Rtnl.NLMSG_ERROR)
                {
                    continue;
                }

                int index = (int)(message.Sequence - first);
                Acknowledgement answer = Acknowledgement.Read(message);
                if (!isAnswered[index])
                {
                    isAnswered[index] = true;
                    results[index] = answer.Errno == NetlinkErrno.None ? null : requests[index].Refused(answer);
                    left--;
                }
            }
        }
    }

    /// <returns>The sequence number of the first.</returns>
    private uint Send(ReadOnlySpan<NetlinkRequest> requests)
    {
        uint first = _sequence + 1;
        NetlinkErrno errno;
        if (requests.Length == 1)
        {
            errno = transport.Send(requests[0].Message.Finish(++_sequence));
        }
        else
        {
            int length = 0;
            byte[] together = new byte[MaxBatchBytes];
            foreach (NetlinkRequest request in requests)
            {
                ReadOnlySpan<byte> message = request.Message.Finish(++_sequence);
                message.CopyTo(together.AsSpan(length));
                length += message.Length;
            }

            errno = transport.Send(together.AsSpan(0, length));
        }

        foreach (NetlinkRequest request in requests)
        {
            GC.KeepAlive(request.Borrowed);
        }

        return errno == NetlinkErrno.None ? first : throw requests[0].Failed(errno);
    }

    /// <summary>The next datagram of the kernel; of others nothing is believed.</summary>
    private ReadOnlySpan<byte> Receive(NetlinkRequest request)
    {
        while (true)
        {
            NetlinkErrno errno = transport.Receive(ref _buffer, out int length, out uint sender);
            if (errno != NetlinkErrno.None)
            {
                string limit = options.ReceiveTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture);
                throw errno == NetlinkErrno.EAGAIN
                    ? request.Failed(NetlinkErrno.ETIMEDOUT, $"the kernel has not answered for {limit} s")
                    : request.Failed(errno);
            }

            if (sender == 0)
            {
                return _buffer.AsSpan(0, length);
            }
        }
    }

    private static bool IsStale(NetlinkMessage message, uint first, uint last)
    {
        if ((int)(message.Sequence - last) > 0)
        {
            throw new NetlinkProtocolException($"an answer has the number {message.Sequence}, and {last} was the last that was asked");
        }

        return (int)(message.Sequence - first) < 0;
    }
}
