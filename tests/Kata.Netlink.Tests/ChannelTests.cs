using Kata.Netlink.Interop;

namespace Kata.Netlink.Tests;

/// <summary>Requests and answers, with a kernel that answers as the test says.</summary>
public sealed class ChannelTests : IDisposable
{
    private readonly ScriptedKernel _kernel = new();
    private readonly NetlinkSocket _socket;

    public ChannelTests() => _socket = new NetlinkSocket(_kernel, new NetlinkOptions { MaxListAttempts = 3 });

    public void Dispose() => _socket.Dispose(); // and its transport

    [Fact]
    public void Get_MessagesOfOthers_AreNotBelieved()
    {
        _kernel.OnSend = sequence =>
        {
            _kernel.Answer(Messages.Link(sequence, 1, "false"), sender: 4711);
            _kernel.Answer(Messages.Link(sequence, 1, "true"));
        };
        Assert.Equal("true", _socket.Links.Get(1).Name);
    }

    [Fact]
    public void Get_AnswersToAnEarlierRequest_ArePassedOver()
    {
        _kernel.OnSend = sequence =>
        {
            _kernel.Answer([.. Messages.Link(sequence - 1, 1, "old"), .. Messages.Acknowledge(sequence - 1, NetlinkErrno.EPERM)]);
            _kernel.Answer(Messages.Link(sequence, 1, "new"));
        };
        Assert.Equal("new", _socket.Links.Get(1).Name);
    }

    [Fact]
    public void Get_AnswerToALaterRequest_IsRefused()
    {
        _kernel.OnSend = sequence => _kernel.Answer(Messages.Link(sequence + 1, 1, "x"));
        Assert.Throws<NetlinkProtocolException>(() => _socket.Links.Get(1));
    }

    [Fact]
    public void Get_NoAnswer_EndsWithATimeout()
    {
        NetlinkException error = Assert.Throws<NetlinkException>(() => _socket.Links.Get("eth0"));
        Assert.Equal(NetlinkErrno.ETIMEDOUT, error.Errno);
        Assert.Equal("Cannot get the link 'eth0': the kernel has not answered for 10 s", error.Message);
    }

    [Fact]
    public void List_Interrupted_IsTriedAgainAndGivesTheLastOnly()
    {
        int attempt = 0;
        _kernel.OnSend = sequence =>
        {
            ushort flags = ++attempt < 3 ? Rtnl.NLM_F_DUMP_INTR : (ushort)0;
            _kernel.Answer([.. Messages.Link(sequence, 1, $"a{attempt}"), .. Messages.Link(sequence, 2, $"b{attempt}", flags)]);
            _kernel.Answer(Messages.Done(sequence));
        };
        Assert.Equal(["a3", "b3"], _socket.Links.List().Select(static link => link.Name));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void List_InterruptedEachTime_FailsAndSaysSo(bool isFlagged)
    {
        _kernel.OnSend = sequence => _kernel.Answer(
            isFlagged ? Messages.Done(sequence, Rtnl.NLM_F_DUMP_INTR) : Messages.Acknowledge(sequence, NetlinkErrno.EINTR));
        NetlinkException error = Assert.Throws<NetlinkException>(() => _socket.Links.List());
        Assert.Equal(NetlinkErrno.EINTR, error.Errno);
        Assert.Equal("Cannot list the links: it changed while it was read, 3 times", error.Message);
        Assert.Equal(3, _kernel.Requests);
    }

    [Fact]
    public void List_BadItem_IsReadToItsEndFirst()
    {
        _kernel.OnSend = sequence =>
        {
            _kernel.Answer(Messages.Of(Rtnl.RTM_NEWLINK, 0, sequence, [1, 2, 3]));
            _kernel.Answer(Messages.Link(sequence, 2, "b"));
            _kernel.Answer(Messages.Done(sequence));
        };
        Assert.Throws<NetlinkProtocolException>(() => _socket.Links.List());
        Assert.Equal(0, _kernel.Waiting);
    }

    [Fact]
    public void List_Refused_SaysWhy()
    {
        _kernel.OnSend = sequence => _kernel.Answer(Messages.Acknowledge(sequence, NetlinkErrno.EOPNOTSUPP));
        Assert.Equal(
            "Cannot list the rules: Operation not supported (EOPNOTSUPP)",
            Assert.Throws<NetlinkException>(() => _socket.Rules.List()).Message);
    }

    [Fact]
    public void Receive_BufferTooSmall_IsGrown()
    {
        _kernel.OnSend = sequence =>
        {
            byte[] many = [.. Enumerable.Range(1, 3000).SelectMany(index => Messages.Link(sequence, index, $"link{index}"))];
            Assert.True(many.Length > 100_000);
            _kernel.Answer(many);
            _kernel.Answer(Messages.Done(sequence));
        };
        Assert.Equal(3000, _socket.Links.List().Count);
    }

    [Fact]
    public void Receive_AnswersLost_FailsAndLeavesTheSocketUsable()
    {
        _kernel.OnSend = _ => _kernel.Fail(NetlinkErrno.ENOBUFS);
        Assert.Equal(NetlinkErrno.ENOBUFS, Assert.Throws<NetlinkException>(() => _socket.Links.SetUp(1)).Errno);
        _kernel.OnSend = sequence => _kernel.Answer(Messages.Acknowledge(sequence));
        _socket.Links.SetUp(1);
    }

    [Fact]
    public void Batch_SomeRefused_HasAResultForEach()
    {
        _kernel.OnSend = sequence => _kernel.Answer(
            Messages.Acknowledge(sequence, sequence % 2 == 0 ? NetlinkErrno.ENODEV : NetlinkErrno.None));
        NetlinkBatch batch = _socket.CreateBatch();
        for (int index = 1; index <= 200; index++)
        {
            batch.Links.Delete(index);
        }

        Assert.Equal(200, batch.Count);
        IReadOnlyList<NetlinkException?> results = batch.SendEach();
        Assert.Equal(0, batch.Count);
        Assert.Equal(200, _kernel.Requests);
        Assert.Equal(4, _kernel.Datagrams); // 64 at most go together
        Assert.All(results.Index(), static result => Assert.Equal(
            result.Index % 2 == 0 ? null : $"Cannot delete the link 'index {result.Index + 1}': No such device (ENODEV)",
            result.Item?.Message));
        batch.Links.Delete(1);
        batch.Links.Delete(2);
        Assert.Throws<NetlinkException>(batch.Send);
    }

    [Fact]
    public void Batch_LongRequests_AreSentInSeveralDatagrams()
    {
        _kernel.OnSend = sequence => _kernel.Answer(Messages.Acknowledge(sequence));
        NetlinkBatch batch = _socket.CreateBatch();
        for (int i = 0; i < 3; i++)
        {
            batch.Links.Change(1, new LinkSettings { Alias = new string('x', 20_000) });
        }

        batch.Links.Change(1, new LinkSettings { Alias = new string('x', 60_000) });
        batch.Send();
        Assert.Equal(4, _kernel.Datagrams);
    }

    [Fact]
    public void Batch_Nothing_SendsNothing()
    {
        Assert.Empty(_socket.CreateBatch().SendEach());
        Assert.Equal(0, _kernel.Datagrams);
    }

    [Fact]
    public void Refusal_OfAnAttribute_NamesItsPlace()
    {
        _kernel.OnSend = sequence =>
        {
            byte[] refusal = Golden.Bytes("refusal-attribute");
            BitConverter.TryWriteBytes(refusal.AsSpan(8), sequence);
            _kernel.Answer(refusal);
        };
        NetlinkException error = Assert.Throws<NetlinkException>(() => _socket.Links.Delete("a-name-that-is-long"));
        Assert.Equal(
            "Cannot delete the link 'a-name-that-is-long': Attribute failed policy validation: "
                + "Numerical result out of range (ERANGE), at byte 32 of the request",
            error.Message);
        Assert.Equal(("delete the link", "a-name-that-is-long"), (error.Operation, error.Subject));
        Assert.Equal(
            ("Attribute failed policy validation", 32u, null), (error.KernelMessage, error.AttributeOffset, error.MissingAttribute));
    }

    [Fact]
    public void Arguments_ThatCannotBeSent_AreRefusedBefore()
    {
        IPPrefix four = IPPrefix.Parse("10.0.0.1/8");
        var six = System.Net.IPAddress.IPv6Loopback;
        Assert.Throws<ArgumentOutOfRangeException>(() => _socket.Links.Get(0));
        Assert.Throws<ArgumentException>(() => _socket.Links.Add(new LinkSettings { Name = "x" }));
        Assert.Throws<ArgumentException>(() => _socket.Links.Add(new LinkSettings { Alias = "x", Kind = new DummyKind() }));
        var peer = new LinkSettings { Kind = new VethKind() };
        Assert.Throws<ArgumentException>(() => _socket.Links.Add(new LinkSettings { Kind = new VethKind { Peer = peer } }));
        Assert.Throws<ArgumentException>(() => _socket.Addresses.Add(new InterfaceAddress { LinkIndex = 1, Local = four, Peer = six }));
        Assert.Throws<ArgumentException>(() => _socket.Routes.Add(new Route { Destination = four, PreferredSource = six }));
        Assert.Throws<ArgumentException>(() => _socket.Rules.Add(new RoutingRule { Family = IPFamily.IPv6, Source = four }));
        Assert.Throws<ArgumentException>(() => _socket.Rules.Add(new RoutingRule { Family = IPFamily.Any }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetlinkSocket(new NetlinkOptions { MaxListAttempts = 0 }));
        var closed = new Microsoft.Win32.SafeHandles.SafeFileHandle(nint.MaxValue, ownsHandle: false);
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _socket.Links.Change(1, new LinkSettings { NetworkNamespace = closed }));
        Assert.Throws<ObjectDisposedException>(() => _socket.GetNamespaceId(closed));
        Assert.Equal(0, _kernel.Datagrams);
    }
}
