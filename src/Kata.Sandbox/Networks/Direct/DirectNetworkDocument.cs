using System.Text.Json.Serialization;

namespace Kata.Sandbox;

/// <summary>
/// A file of a directly attachable network as network plugins write it for Kata 3 and 4. What nobody knows is passed over, and null is as
/// what is left out.
/// </summary>
internal sealed record DirectNetworkDocument
{
    [JsonPropertyName("netns")]
    public string? Namespace { get; init; }

    [JsonPropertyName("devices")]
    public required IReadOnlyList<Device> Devices { get; init; }

    /// <summary>A card.</summary>
    internal sealed record Device
    {
        [JsonPropertyName("name")]
        public required string Name { get; init; }

        [JsonPropertyName("guest_mac")]
        public string? Address { get; init; }

        [JsonPropertyName("device")]
        public required Backend Backend { get; init; }

        [JsonPropertyName("network_info")]
        public required Info Info { get; init; }
    }

    /// <summary>What the host has for it.</summary>
    internal sealed record Backend
    {
        [JsonPropertyName("type")]
        public required string Type { get; init; }

        [JsonPropertyName("path")]
        public string? Path { get; init; }

        [JsonPropertyName("tap_name")]
        public string? TapName { get; init; }

        [JsonPropertyName("queue_num")]
        public uint? Queues { get; init; }

        [JsonPropertyName("queue_size")]
        public uint? QueueSize { get; init; }
    }

    /// <summary>What the guest has on it.</summary>
    internal sealed record Info
    {
        [JsonPropertyName("interface")]
        public required Interface Interface { get; init; }

        [JsonPropertyName("routes")]
        public IReadOnlyList<Route>? Routes { get; init; }

        [JsonPropertyName("neighbors")]
        public IReadOnlyList<Neighbour>? Neighbours { get; init; }
    }

    /// <summary>The interface itself. Its <c>ntype</c> says nothing that a guest could have.</summary>
    internal sealed record Interface
    {
        [JsonPropertyName("ip_addresses")]
        public required IReadOnlyList<string> Addresses { get; init; }

        [JsonPropertyName("mtu")]
        public ulong? Mtu { get; init; }

        [JsonPropertyName("flags")]
        public uint? Flags { get; init; }
    }

    internal sealed record Route
    {
        [JsonPropertyName("dest")]
        public string? Destination { get; init; }

        [JsonPropertyName("gateway")]
        public string? Gateway { get; init; }

        [JsonPropertyName("source")]
        public string? Source { get; init; }

        [JsonPropertyName("scope")]
        public uint? Scope { get; init; }

        [JsonPropertyName("flags")]
        public uint? Flags { get; init; }

        [JsonPropertyName("mtu")]
        public uint? Mtu { get; init; }
    }

    internal sealed record Neighbour
    {
        [JsonPropertyName("ip_address")]
        public string? Address { get; init; }

        [JsonPropertyName("hardware_addr")]
        public string? HardwareAddress { get; init; }

        [JsonPropertyName("flags")]
        public uint? Flags { get; init; }
    }
}
