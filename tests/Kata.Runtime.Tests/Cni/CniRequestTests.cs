using Kata.Runtime.Cni;

namespace Kata.Runtime.Tests.Cni;

/// <summary>What a plugin's environment asks.</summary>
public sealed class CniRequestTests
{
    [Fact]
    public void Read_AsAnEngineCalls_IsThat() => Assert.Equal(
        new CniRequest(CniCommand.Add, "4f2a.b_c-d", "/run/netns/x", "eth0"),
        Read("CNI_COMMAND=ADD", "CNI_CONTAINERID=4f2a.b_c-d", "CNI_NETNS=/run/netns/x", "CNI_IFNAME=eth0", "CNI_ARGS=K=v", "CNI_PATH=/x"));

    [Theory]
    [InlineData("STATUS")]
    [InlineData("GC")]
    [InlineData("VERSION")]
    public void Read_OfNoPod_NeedsNothingMore(string command) =>
        Assert.Equal(command, Read("CNI_COMMAND=" + command).Command.ToString().ToUpperInvariant());

    [Fact]
    public void Read_Del_NeedsNoNamespace() => // it may be gone
        Assert.Equal("", Read("CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=eth0").NamespacePath);

    [Theory]
    [InlineData("CNI_COMMAND is not set")]
    [InlineData("CNI_COMMAND is not set", "CNI_COMMAND=")]
    [InlineData("Cannot run 'add': CNI_COMMAND is none of ADD, DEL, CHECK, STATUS, GC and VERSION", "CNI_COMMAND=add")]
    [InlineData("Cannot run '\\u001b': CNI_COMMAND is none of", "CNI_COMMAND=\u001b")]
    [InlineData("CNI_CONTAINERID and CNI_NETNS and CNI_IFNAME are not set", "CNI_COMMAND=ADD")]
    [InlineData("CNI_NETNS is not set", "CNI_COMMAND=CHECK", "CNI_CONTAINERID=c", "CNI_IFNAME=eth0")]
    [InlineData("CNI_IFNAME is not set", "CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=")]
    [InlineData("CNI_CONTAINERID is '-c', which is no id", "CNI_COMMAND=DEL", "CNI_CONTAINERID=-c", "CNI_IFNAME=eth0")]
    [InlineData("CNI_CONTAINERID is 'a/b', which is no id", "CNI_COMMAND=DEL", "CNI_CONTAINERID=a/b", "CNI_IFNAME=eth0")]
    [InlineData("CNI_IFNAME is 'a b', which is no name", "CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=a b")]
    [InlineData("CNI_IFNAME is '..', which is no name", "CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=..")]
    [InlineData("CNI_IFNAME is 'a:1', which is no name", "CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=a:1")]
    [InlineData("CNI_IFNAME is '1234567890123456', which is no", "CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=1234567890123456")]
    public void Read_Wrong_NamesTheVariable(string expected, params string[] variables)
    {
        CniException error = Assert.Throws<CniException>(() => Read(variables));
        Assert.Equal(CniErrorCode.InvalidEnvironment, error.Code);
        Assert.Contains(expected, error.Text, StringComparison.Ordinal);
        Assert.Contains("name 'kata-cni' in a network configuration", error.Remedy, StringComparison.Ordinal);
    }

    private static CniRequest Read(params string[] variables) => CniRequest.Read(
        name => variables.Select(static item => item.Split('=', 2)).FirstOrDefault(item => item[0] == name)?[1]);
}
