using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Runtime.Cni;
using Kata.Testing;

namespace Kata.Runtime.Tests.Cni;

/// <summary>The plugin as an engine calls it, with namespaces that no pod has.</summary>
public sealed class CniProgramTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("/opt/cni/bin/kata-cni", true)]
    [InlineData("kata-cni", true)]
    [InlineData("/usr/local/bin/kata-runtime", false)]
    [InlineData("kata-cni2", false)]
    [InlineData(null, false)]
    public void IsCalled_ByItsName(string? name, bool expected) => Assert.Equal(expected, CniProgram.IsCalled(name));

    [Fact]
    public async Task Version_SaysWhatThereIs()
    {
        CniCall call = await CniCall.RunAsync("{\"cniVersion\":\"0.4.0\"}", "CNI_COMMAND=VERSION");
        Assert.Equal(0, call.Status);
        Assert.Equal("""{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}""", call.Output.Trim());
        Assert.Equal(0, (await CniCall.RunAsync("", "CNI_COMMAND=VERSION")).Status);
    }

    [Theory]
    [InlineData(4, "Cannot run 'FROB': CNI_COMMAND is none of", "FROB", "1.0.0")]
    [InlineData(4, "CNI_CONTAINERID and CNI_NETNS and CNI_IFNAME are not set", "ADD", "1.0.0")]
    [InlineData(1, "its version is '0.2.0'. Have 'cniVersion' be one of 0.3.1, 0.4.0, 1.0.0, 1.1.0", "GC", "0.2.0")]
    [InlineData(1, "has the version 1.0.0, which does not know it. Have 'cniVersion' be 1.1.0 or later", "STATUS", "1.0.0")]
    public async Task AnyCommand_ThatIsWrong_IsAnErrorOfItsKind(int code, string text, string command, string version)
    {
        CniCall call = await CniCall.RunAsync($$"""{"cniVersion":"{{version}}","name":"n"}""", "CNI_COMMAND=" + command);
        (int told, string said) = call.Error;
        Assert.Equal(code, told);
        Assert.Contains(text, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.3.1")]
    [InlineData("1.1.0")]
    public async Task Del_Twice_IsQuietWhateverIsGone(string version)
    {
        string[] rests = ["", ",\"prevResult\":null", ",\"prevResult\":[7]", ",\"prevResult\":{\"interfaces\":[{\"name\":\"eth0\"}]}"];
        foreach (string rest in rests.Concat(rests))
        {
            string configuration = $$"""{"cniVersion":"{{version}}","name":"n"{{rest}}}""";
            (await CniCall.RunAsync(configuration, "CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=eth0")).AssertQuiet();
            (await CniCall.RunAsync(
                configuration, "CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=eth0", "CNI_NETNS=/run/netns/none")).AssertQuiet();
        }
    }

    [Fact]
    public async Task Gc_KeepsNothing_IsQuiet() => (await CniCall.RunAsync(
        """{"cniVersion":"1.1.0","name":"n","cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"}]}""",
        "CNI_COMMAND=GC")).AssertQuiet();

    [Fact]
    public async Task Status_WithoutAKernel_IsNotAvailableAndSaysWhatToDo()
    {
        await File.WriteAllTextAsync(
            _directory.File("c.toml"),
            $"[hypervisor.qemu]\npath = \"/bin/sh\"\nvirtio_fs_daemon = \"/bin/sh\"\nkernel = \"{_directory.Path}/none\"\n",
            TestContext.Current.CancellationToken);
        (int code, string text) = (await CniCall.RunAsync(
            $$"""{"cniVersion":"1.1.0","name":"n","configuration":"{{_directory.Path}}/c.toml"}""", "CNI_COMMAND=STATUS")).Error;
        Assert.Equal(50, code);
        Assert.Contains(
            $"Cannot use the guest kernel '{_directory.Path}/none': it does not exist. Run 'make install'", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_WithBrokenConfiguration_NamesIt()
    {
        (int code, string text) = (await CniCall.RunAsync(
            $$"""{"cniVersion":"1.1.0","name":"n","configuration":"{{_directory.Path}}/none.toml"}""", "CNI_COMMAND=STATUS")).Error;
        Assert.Equal(50, code);
        Assert.Contains($"{_directory.Path}/none.toml", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.3.1", "\"version\":\"4\"")]
    [InlineData("0.4.0", "\"version\":\"4\"")]
    [InlineData("1.0.0", "\"mac\"")]
    [InlineData("1.1.0", "\"mtu\"")]
    public async Task Add_InterfacesThatAGuestCanHave_IsTheResultInItsVersion(string version, string part)
    {
        using TestNetwork network = TestNetwork.Create();
        network.Run("ip link add eth0 type veth peer name far; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up");
        string path = PathOf(network);
        CniCall call = await AddAsync(version, path, $$"""{"name":"eth0","mac":"02:00:00:00:00:02","mtu":1500,"sandbox":"{{path}}"}""");
        Assert.Equal(0, call.Status);
        Assert.Equal(version, JsonNode.Parse(call.Output)!["cniVersion"]!.ToString());
        Assert.Contains(part, call.Output, StringComparison.Ordinal);
        if (version != "0.3.1")
        {
            (await CheckAsync(version, path, call.Output)).AssertQuiet();
        }
    }

    [Fact]
    public async Task Add_InterfaceThatNoGuestCanHave_NamesItItsKindAndWhatCanBe()
    {
        using TestNetwork network = TestNetwork.Create();
        network.Run("ip tuntap add dev tun7 mode tun; ip addr add 10.0.0.2/24 dev tun7");
        string path = PathOf(network);
        (int code, string text) = (await AddAsync("1.0.0", path, $$"""{"name":"tun7","sandbox":"{{path}}"}""")).Error;
        Assert.Equal(100, code);
        Assert.Equal(
            "Cannot give the interface 'tun7' to a guest: it is a tun without Ethernet frames, and a guest's card carries nothing else. "
                + "Make it inside of the container, or use an interface with them, as a veth, macvlan, VLAN, bridge or a card of the host",
            text);
    }

    [Fact]
    public async Task Add_PortOfABridge_ComesByThat()
    {
        using TestNetwork network = TestNetwork.Create();
        network.Run("ip link add br0 type bridge; ip link add p1 master br0 type veth peer name far; ip addr add 10.0.0.2/24 dev br0");
        string path = PathOf(network);
        Assert.Equal(
            0, (await AddAsync("1.0.0", path, $$"""{"name":"p1","sandbox":"{{path}}"},{"name":"br0","sandbox":"{{path}}"}""")).Status);
    }

    [Fact]
    public async Task Add_InterfaceThatIsNotThere_SaysWhatIs()
    {
        using TestNetwork network = TestNetwork.Create();
        string path = PathOf(network);
        (int code, string text) = (await AddAsync("1.0.0", path, $$"""{"name":"eth0","sandbox":"{{path}}"}""")).Error;
        Assert.Equal(101, code);
        Assert.Contains($"'{path}' has none of that name, it has 'lo'", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/run/netns/none-of-that-name", "Cannot use '/run/netns/none-of-that-name' as the pod's network")]
    [InlineData("/etc/passwd", "it is no network namespace")]
    [InlineData("/proc/self/ns/net", "CNI_NETNS is the host's network, which no guest can be in")]
    public async Task Add_NoNamespaceOfAPod_IsAnErrorOfTheEnvironment(string path, string expected)
    {
        (int code, string text) = (await AddAsync("1.0.0", path, "{\"name\":\"host\"}")).Error;
        Assert.Equal(4, code);
        Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Add_WithoutAResult_SaysWhereItBelongs()
    {
        (int code, string text) = (await CniCall.RunAsync(
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}", "CNI_COMMAND=ADD", "CNI_CONTAINERID=c", "CNI_NETNS=/n", "CNI_IFNAME=eth0")).Error;
        Assert.Equal(7, code);
        Assert.Contains("after the one that does", text, StringComparison.Ordinal);
    }

    private static string PathOf(TestNetwork network) => string.Create(
        CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{network.Handle.DangerousGetHandle()}");

    private static Task<CniCall> CheckAsync(string version, string path, string result) => CniCall.RunAsync(
        $$"""{"cniVersion":"{{version}}","name":"n","root":"/nowhere","prevResult":{{result}} }""",
        "CNI_COMMAND=CHECK", "CNI_CONTAINERID=c", $"CNI_NETNS={path}", "CNI_IFNAME=eth0");

    private static Task<CniCall> AddAsync(string version, string path, string interfaces) => CniCall.RunAsync(
        $$"""
        {"cniVersion":"{{version}}","name":"n","root":"/nowhere",
         "prevResult":{"interfaces":[{{interfaces}}],"ips":[{"address":"10.0.0.2/24","interface":0}]} }
        """,
        "CNI_COMMAND=ADD", "CNI_CONTAINERID=c", $"CNI_NETNS={path}", "CNI_IFNAME=eth0");
}
