using System.Text;
using System.Text.Json;
using Kata.Runtime.Commands;
using Kata.Sandbox.Protocol.V1;
using Kata.Testing;

namespace Kata.Runtime.Tests;

/// <summary>The documents of <c>kata-runtime network</c>.</summary>
public sealed class NetworkFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData( // Kata 1.x prints and reads this
        """
        {"Device":"eth1","Name":"data","IPAddresses":[{"Family":2,"Address":"10.0.0.2","Mask":"24"}],"Mtu":1400,"RawFlags":128,
         "HwAddr":"02:00:00:00:00:01","PciPath":"02/01","LinkType":"veth"}
        """)]
    [InlineData( // as the agent's protocol calls it
        """
        {"device":"eth1","name":"data","IPAddresses":[{"family":"v4","address":"10.0.0.2","mask":"24"}],"mtu":"1400","raw_flags":128,
         "hwAddr":"02:00:00:00:00:01","pciPath":"","type":"veth","unknown":[{}]}
        """)]
    [InlineData("\uFEFF{\"DEVICE\":\"eth1\",\"NAME\":\"data\",\"ipaddresses\":[{\"ADDRESS\":\"10.0.0.2\",\"MASK\":\"24\"}],\"MTU\":1400,"
        + "\"rawflags\":128,\"HWADDR\":\"02:00:00:00:00:01\"}")]
    public void Interface_InEveryForm_AsksForTheSame(string json) => Assert.Equal(
        new InterfaceSpec
        {
            Device = "eth1",
            Name = "data",
            Addresses = new AddressSet { Addresses = { "10.0.0.2/24" } },
            Mtu = 1400,
            HardwareAddress = "02:00:00:00:00:01",
            NoArp = true,
        },
        Interface(json).ToSpec());

    [Fact]
    public void Interface_OfLittle_LeavesTheRestAsItIs()
    {
        InterfaceSpec spec = Interface("""{"name":"eth1"}""").ToSpec();
        Assert.Equal(new InterfaceSpec { Name = "eth1" }, spec);
        Assert.Null(spec.Addresses);
        Assert.NotNull(Interface("""{"name":"eth1","IPAddresses":[]}""").ToSpec().Addresses); // none, which is something else
    }

    [Theory]
    [InlineData("", "it is no JSON of that form")]
    [InlineData("null", "it is null")]
    [InlineData("[]", "it is no JSON of that form")]
    [InlineData("{\"name\":1}", "it is no JSON of that form at \"$.name\" (line 1)")]
    [InlineData("{\n\"mtu\":-1}", "it is no JSON of that form at \"$.mtu\" (line 2)")]
    [InlineData("{\"name\":\"eth1\"", "it is no JSON of that form")]
    [InlineData("{\"name\":\"eth1\"} x", "it is no JSON of that form")]
    public void Interface_ThatIsNone_NamesTheFileAndShowsOne(string json, string reason)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Interface(json));
        string text = error.Message.Replace('\'', '"');
        Assert.StartsWith($"Cannot read an interface from \"{_directory.File("file")}\": ", text, StringComparison.Ordinal);
        Assert.Contains(reason, text, StringComparison.Ordinal);
        Assert.Contains("Write it like {\"name\": \"eth1\"", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """{"name":"eth1","IPAddresses":[{"Address":"10.0.0.2"}]}""",
        "Cannot use the address '10.0.0.2': its 'Address' or 'Mask' is missing")]
    [InlineData("""{"name":"eth1","IPAddresses":[null]}""", "Cannot use an address of 'eth1': it is null")]
    [InlineData("""{"name":"eth1","RawFlags":256}""", "Cannot set the flags 0x100 of 'eth1': the guest's card does not take them")]
    public void Interface_OfWhatCannotBeAsked_IsRefused(string json, string reason) => Assert.StartsWith(
        reason, Assert.Throws<ArgumentException>(() => Interface(json).ToSpec()).Message, StringComparison.Ordinal);

    [Fact]
    public void Interface_Printed_IsKatasAndIsReadAgain()
    {
        var item = new NetworkInterface
        {
            Name = "eth1",
            Addresses = { "10.0.0.2/24", "fd00::2/64" },
            Mtu = 1500,
            HardwareAddress = "02:00:00:00:00:01",
            Flags = 0x1043,
            Type = "veth",
        };

        string text = InterfaceDocument.Of(item).Write();

        Assert.Equal(
            """
            {"Device":"eth1","Name":"eth1","IPAddresses":[{"Family":0,"Address":"10.0.0.2","Mask":"24"},
            {"Family":1,"Address":"fd00::2","Mask":"64"}],"Mtu":1500,
            "RawFlags":4163,"HwAddr":"02:00:00:00:00:01","PciPath":"","LinkType":"veth"}
            """.ReplaceLineEndings(""),
            text);
        Assert.Equal(item.Addresses, Interface(text).ToSpec().Addresses.Addresses);
    }

    [Theory]
    [InlineData("""{"Dest":"","Gateway":"10.0.0.1","Device":"eth0"}""", "0.0.0.0/0")]
    [InlineData("""{"dest":"default","gateway":"fd00::1","device":"eth0"}""", "::/0")]
    [InlineData("""{"device":"eth0","family":1}""", "::/0")]
    [InlineData("""{"device":"eth0","family":"v6"}""", "::/0")]
    [InlineData("""{"dest":"10.1.0.0/16","device":"eth0","scope":253,"source":"10.0.0.2","flags":4,"mtu":1300}""", "10.1.0.0/16")]
    [InlineData("""{"dest":"10.1.0.9","device":"eth0"}""", "10.1.0.9/32")]
    [InlineData("""{"dest":"fd00::9","device":"eth0"}""", "fd00::9/128")]
    public void Routes_Destinations_ArePrefixes(string json, string destination) =>
        Assert.Equal(destination, Assert.Single(Routes($"[{json}]")).ToMessage().Destination);

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[null]")]
    [InlineData("[{\"dest\":5}]")]
    public void Routes_ThatAreNone_AreRefused(string json) => Assert.StartsWith(
        "Cannot read a list of routes from", Assert.Throws<ArgumentException>(() => Routes(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Routes_Printed_AreReadAgain()
    {
        NetworkRoute[] routes =
        [
            new() { Destination = "0.0.0.0/0", Gateway = "10.0.0.1", Device = "eth0" },
            new() { Destination = "::/0", Device = "eth0", Flags = 4 },
            new() { Destination = "10.1.0.0/16", Device = "eth0", Source = "10.0.0.2", Scope = 253, Mtu = 1300 },
        ];
        string text = JsonSerializer.Serialize(routes.Select(RouteDocument.Of).ToList(), NetworkJsonContext.Default.ListRouteDocument);
        Assert.Equal(routes, Routes(text).Select(static route => route.ToMessage()));
    }

    [Fact]
    public void File_OfMoreThanAnybodyWrites_IsRefused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Interface(new string(' ', (1 << 20) + 1)));
        Assert.Contains("it has more than 1048576 bytes", error.Message, StringComparison.Ordinal);
    }

    private InterfaceDocument Interface(string json) => NetworkFile.ReadInterface(Write(json));

    private List<RouteDocument> Routes(string json) => NetworkFile.ReadRoutes(Write(json));

    private string Write(string json)
    {
        string path = _directory.File("file");
        File.WriteAllText(path, json, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return path;
    }
}
