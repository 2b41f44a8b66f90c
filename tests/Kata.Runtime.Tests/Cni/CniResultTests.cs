using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Kata.Runtime.Cni;

namespace Kata.Runtime.Tests.Cni;

/// <summary>Results of chains, in every version.</summary>
public sealed class CniResultTests
{
    private const string Newest = """
        {"cniVersion":"1.1.0","interfaces":[{"name":"br0","mac":"02:00:00:00:00:01"},{"name":"eth0","mac":"02:00:00:00:00:02","mtu":1400,
        "sandbox":"/run/netns/x","socketPath":"/s","pciID":"0000:00:01.0"}],"ips":[{"interface":1,"address":"10.0.0.2/24",
        "gateway":"10.0.0.1"},{"interface":1,"address":"fd00::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1","mtu":1300,
        "advmss":1200,"priority":5,"table":7,"scope":0}],"dns":{"nameservers":["10.0.0.1"],"domain":"d","search":["s"],"options":["o"]}}
        """;

    [Theory]
    [InlineData(CniVersion.V110, Newest)]
    [InlineData(CniVersion.V100, """
        {"cniVersion":"1.0.0","interfaces":[{"name":"br0","mac":"02:00:00:00:00:01"},{"name":"eth0","mac":"02:00:00:00:00:02",
        "sandbox":"/run/netns/x"}],"ips":[{"interface":1,"address":"10.0.0.2/24","gateway":"10.0.0.1"},{"interface":1,
        "address":"fd00::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"}],"dns":{"nameservers":["10.0.0.1"],"domain":"d",
        "search":["s"],"options":["o"]}}
        """)]
    [InlineData(CniVersion.V031, """
        {"cniVersion":"0.3.1","interfaces":[{"name":"br0","mac":"02:00:00:00:00:01"},{"name":"eth0","mac":"02:00:00:00:00:02",
        "sandbox":"/run/netns/x"}],"ips":[{"version":"4","interface":1,"address":"10.0.0.2/24","gateway":"10.0.0.1"},{"version":"6",
        "interface":1,"address":"fd00::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"}],"dns":{"nameservers":["10.0.0.1"],
        "domain":"d","search":["s"],"options":["o"]}}
        """)]
    internal void Write_InAVersion_IsThatVersions(CniVersion version, string expected) =>
        Assert.Equal(expected.ReplaceLineEndings(""), Parse(Newest).Write(version));

    // Any result, read and written in any version, says the same of what that version knows.
    [Fact]
    public void Write_InEveryVersion_LosesOnlyWhatTheVersionDoesNotKnow()
    {
        Gen<string> address = Gen.Select(Gen.Int[0, 255], Gen.Int[0, 32], Gen.Bool, static (last, length, six) =>
            six ? $"fd00::{last:x}/{length * 4}" : $"10.1.2.{last}/{length}");
        Gen<JsonObject> item = Gen.Select(address, Gen.Int[-1, 1], Gen.Bool, static (text, index, gateway) =>
        {
            var node = new JsonObject { ["address"] = text };
            if (index >= 0)
            {
                node["interface"] = index;
            }

            if (gateway)
            {
                node["gateway"] = "10.9.9.9";
            }

            return node;
        });
        Gen.Select(item.Array[0, 4], Gen.Int[0, 3], Gen.Int[0, 3]).Sample((items, first, second) =>
        {
            var document = new JsonObject
            {
                ["interfaces"] = new JsonArray(
                    new JsonObject { ["name"] = "eth0", ["sandbox"] = "/n", ["mtu"] = 9 },
                    new JsonObject { ["name"] = "h", ["mac"] = "02:00:00:00:00:07" }),
                ["ips"] = new JsonArray([.. items.Select(static node => node.DeepClone())]),
            };
            string once = Parse(document.ToJsonString()).Write((CniVersion)first);
            CniResult again = Parse(once);
            Assert.Equal(once, again.Write((CniVersion)first));
            JsonNode written = JsonNode.Parse(again.Write((CniVersion)second))!;
            Assert.Equal(((CniVersion)second).Text(), written["cniVersion"]!.ToString());
            foreach ((JsonNode? node, JsonObject before) in written["ips"]!.AsArray().Zip(items))
            {
                Assert.Equal(second >= (int)CniVersion.V100, node!["version"] is null);
                ((JsonObject)node).Remove("version");
                Assert.True(JsonNode.DeepEquals(node, before), $"{node.ToJsonString()} was {before.ToJsonString()}");
            }

            Assert.Equal(
                first == 3 && second == 3 ? "9" : null, written["interfaces"]![0]!["mtu"]?.ToString());
        });
    }

    [Fact]
    public void In_ANamespace_IsItsInterfacesWithTheirAddresses()
    {
        foreach (string path in new[] { "/run/netns/x", "/var/run/netns/x" }) // which lead to the same
        {
            ExpectedInterface only = Assert.Single(Parse(Newest).In(path));
            Assert.Equal(("eth0", "02:00:00:00:00:02"), (only.Name, only.HardwareAddress));
            Assert.Equal(["10.0.0.2/24", "fd00::2/64"], only.Addresses);
        }

        Assert.Empty(Parse(Newest).In("/run/netns/y"));
        Assert.Empty(Parse("{}").In("/run/netns/x"));
    }

    [Theory]
    [InlineData("", 1)] // of the only one
    [InlineData(""", {"name": "eth1", "sandbox": "/n"}""", 0)] // of nobody knows which
    public void In_AddressWithoutAnInterface_IsThatOfTheOnlyOne(string more, int count) => Assert.Equal(
        count, Parse($$"""
            {"interfaces": [{"name": "h"}, {"name": "eth0", "sandbox": "/n"}{{more}}], "ips": [{"version": "4", "address": "10.0.0.2/24"}]}
            """).In("/n")[0].Addresses.Count);

    [Theory]
    [InlineData("[]", 6, "it is no object")]
    [InlineData("7", 6, "it is no object")]
    [InlineData("{\"ips\": {}}", 6, "'ips' is not of the kind 'Array'")]
    [InlineData("{\"interfaces\": [null]}", 6, "'interfaces[0]' is not of the kind 'Object'")]
    [InlineData("{\"interfaces\": [{}]}", 6, "it has no 'interfaces[0].name'")]
    [InlineData("{\"interfaces\": [{\"name\": null}]}", 6, "it has no 'interfaces[0].name'")]
    [InlineData("{\"ips\": [{\"address\": \"10.0.0.2/24\", \"interface\": \"0\"}]}", 6, "'ips[0].interface' is not of the kind 'Number'")]
    [InlineData("{\"ips\": [{\"address\": \"10.0.0.2/24\", \"interface\": 0.5}]}", 6, "'ips[0].interface' is too large")]
    [InlineData("{\"routes\": [null]}", 6, "'routes[0]' is not of the kind 'Object'")]
    [InlineData("{\"routes\": [{\"gw\": \"10.0.0.1\"}]}", 6, "it has no 'routes[0].dst'")]
    [InlineData("{\"interfaces\": [{\"name\": \"a\", \"mac\": \"\\udc00\"}]}", 6, "'interfaces[0].mac' is no text")]
    [InlineData("{\"ips\": [{\"address\": \"10.0.0.2\"}]}", 7, "'10.0.0.2' is no address with the length of its prefix")]
    [InlineData("{\"ips\": [{\"address\": \"10.0.0.2/33\"}]}", 7, "'10.0.0.2/33' is no address")]
    [InlineData("{\"ips\": [{\"address\": \"10.0.0.2/24\", \"interface\": 0}]}", 7, "is of the interface 0, and it has 0")]
    [InlineData("{\"interfaces\": [{\"name\": \"a\"}], \"ips\": [{\"address\": \"::1/64\", \"interface\": -1}]}", 7, "interface -1")]
    [InlineData("{\"cniVersion\": \"0.2.0\"}", 1, "its version is '0.2.0'")]
    [InlineData("{\"cniVersion\": \"\"}", 1, "its version is ''")]
    public void Parse_Wrong_SaysWhat(string json, int code, string expected)
    {
        CniException error = Assert.Throws<CniException>(() => Parse(json));
        Assert.Equal(code, (int)error.Code);
        Assert.Contains("'prevResult'", error.Text, StringComparison.Ordinal);
        Assert.Contains(expected, error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WhatOthersHavePutThere_GoesThrough()
    {
        const string Odd = """{"dns":{"nameservers":null,"new":[1.50]},"interfaces":null,"ips":[{"address":"::1/128","x":{}}],"y":"'+"}""";
        const string Written = """{"cniVersion":"1.0.0","dns":{"nameservers":null,"new":[1.50]},"interfaces":[],""";
        Assert.Equal(Written + "\"ips\":[{\"address\":\"::1/128\",\"x\":{}}],\"y\":\"'+\"}", Parse(Odd).Write(CniVersion.V100));
    }

    [Fact]
    public void Write_WhatIsNoText_IsRefused() => Assert.Equal(
        CniErrorCode.Decoding, Assert.Throws<CniException>(() => Parse("""{"dns":{"domain":"\ud800"}}""").Write(CniVersion.V100)).Code);

    private static CniResult Parse(string json) => CniResult.Parse(JsonSerializer.Deserialize<JsonElement>(json), CniVersion.V110);
}
