using System.Text.Json;
using Kata.Netlink;
using Kata.Oci;

namespace Kata.Runtime.Cni;

/// <summary>What the plugins of a chain have made, in any version.</summary>
internal sealed class CniResult
{
    private const string Subject = "'prevResult'";
    private const string Interfaces = "interfaces";
    private const string Addresses = "ips";
    private const string Routes = "routes";
    private const string AddressVersion = "version"; // before 1.0.0
    private static readonly string[] s_newOfInterfaces = ["mtu", "socketPath", "pciID"]; // since 1.1.0
    private static readonly string[] s_newOfRoutes = ["mtu", "advmss", "priority", "table", "scope"];

    private readonly JsonElement _document;
    private readonly List<ResultInterface> _interfaces;
    private readonly List<ResultAddress> _addresses;

    private CniResult(JsonElement document)
    {
        _document = document;
        _interfaces = CniJson.Objects(document, Interfaces, Subject, static (item, path) => new ResultInterface(
            CniJson.RequiredText(item, "name", Subject, path),
            CniJson.Text(item, "mac", Subject, path) ?? "",
            CniJson.Text(item, "sandbox", Subject, path) ?? ""));
        _addresses = CniJson.Objects(document, Addresses, Subject, ReadAddress);
        _ = CniJson.Objects(document, Routes, Subject, static (item, path) => CniJson.RequiredText(item, "dst", Subject, path));
    }

    /// <summary>Reads one.</summary>
    /// <param name="document">The document.</param>
    /// <param name="version">The version of one that does not say it.</param>
    /// <exception cref="CniException">It is wrong, or of a version that is none of ours.</exception>
    public static CniResult Parse(JsonElement document, CniVersion version)
    {
        if (document.ValueKind != JsonValueKind.Object)
        {
            throw CniJson.Undecodable($"Cannot read {Subject}: it is no object");
        }

        _ = CniVersions.Parse(CniJson.Text(document, CniConfiguration.VersionKey, Subject, "") ?? version.Text(), Subject);
        return new CniResult(document);
    }

    /// <summary>The interfaces that are in a network namespace, with the addresses that each has.</summary>
    /// <param name="path">The namespace.</param>
    public IReadOnlyList<ExpectedInterface> In(string path)
    {
        List<ResultInterface> inside = _interfaces.FindAll(item => Same(item.Sandbox, path));
        return inside.ConvertAll(item => new ExpectedInterface(
            item.Name,
            item.HardwareAddress,
            _addresses
                .FindAll(address => address.Interface is { } index ? _interfaces[index] == item : inside.Count == 1)
                .ConvertAll(static address => address.Text)));
    }

    /// <summary>The same as a version has it: what that does not know is left out.</summary>
    /// <exception cref="CniException">It holds what is no text.</exception>
    public string Write(CniVersion version)
    {
        bool isNewest = version >= CniVersion.V110;
        try
        {
            return CniJson.Write(writer =>
            {
                writer.WriteString(CniConfiguration.VersionKey, version.Text());
                foreach (JsonProperty property in _document.EnumerateObject())
                {
                    switch (property.Name)
                    {
                        case Interfaces:
                            WriteItems(writer, property, isNewest ? [] : s_newOfInterfaces);
                            break;
                        case Addresses:
                            WriteItems(writer, property, [AddressVersion], version < CniVersion.V100 ? WriteVersion : null);
                            break;
                        case Routes:
                            WriteItems(writer, property, isNewest ? [] : s_newOfRoutes);
                            break;
                        case CniConfiguration.VersionKey:
                            break;
                        default:
                            property.WriteTo(writer);
                            break;
                    }
                }
            });
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException) // half of a surrogate pair
        {
            throw CniJson.Undecodable($"Cannot read {Subject}: it holds what is no text", error);
        }

        void WriteVersion(Utf8JsonWriter writer, int at) =>
            writer.WriteString(AddressVersion, _addresses[at].IsIPv6 ? "6" : "4");
    }

    private static void WriteItems(
        Utf8JsonWriter writer, JsonProperty list, string[] without, Action<Utf8JsonWriter, int>? begin = null)
    {
        writer.WriteStartArray(list.Name);
        int at = 0;
        JsonElement.ArrayEnumerator items = list.Value.ValueKind == JsonValueKind.Array ? list.Value.EnumerateArray() : default;
        foreach (JsonElement item in items)
        {
            writer.WriteStartObject();
            begin?.Invoke(writer, at++);
            foreach (JsonProperty property in item.EnumerateObject())
            {
                if (Array.IndexOf(without, property.Name) < 0)
                {
                    property.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private ResultAddress ReadAddress(JsonElement item, string path)
    {
        string text = CniJson.RequiredText(item, "address", Subject, path);
        Require(
            text.Contains('/', StringComparison.Ordinal) & IPPrefix.TryParse(text, out IPPrefix address),
            $"{SpecText.Quote(text)} is no address with the length of its prefix", "Write it like 10.0.0.2/24");
        int? index = CniJson.Number(item, "interface", Subject, path);
        Require(
            index is not { } number || (number >= 0 && number < _interfaces.Count),
            FormattableString.Invariant($"the address '{address}' is of the interface {index}, and it has {_interfaces.Count}"),
            "Count them from 0");
        return new ResultAddress(address.ToString(), address.Family == IPFamily.IPv6, index);
    }

    // Engines name the one directory by either path.
    private static bool Same(string path, string other) => Direct(path) == Direct(other);

    private static string Direct(string path) => path.StartsWith("/var/run/", StringComparison.Ordinal) ? path["/var".Length..] : path;

    private static void Require(bool valid, string cause, string remedy)
    {
        if (!valid)
        {
            throw new CniException(CniErrorCode.InvalidConfiguration, $"Cannot use {Subject}: {cause}", remedy);
        }
    }

    private sealed class ResultInterface(string name, string hardwareAddress, string sandbox)
    {
        public string Name => name;

        public string HardwareAddress => hardwareAddress;

        public string Sandbox => sandbox;
    }

    private sealed class ResultAddress(string text, bool isIPv6, int? number)
    {
        /// <summary>As <see cref="IPPrefix"/> writes it.</summary>
        public string Text => text;

        public bool IsIPv6 => isIPv6;

        public int? Interface => number;
    }
}
