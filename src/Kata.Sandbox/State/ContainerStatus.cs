using System.Text.Json.Serialization;

namespace Kata.Sandbox;

/// <summary>OCI's container states (runtime spec, "State"), as <c>state</c> and <c>list</c> print them.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
internal enum ContainerStatus
{
    [JsonStringEnumMemberName("creating")]
    Creating,
    [JsonStringEnumMemberName("created")]
    Created,
    [JsonStringEnumMemberName("running")]
    Running,
    [JsonStringEnumMemberName("paused")]
    Paused,
    [JsonStringEnumMemberName("stopped")]
    Stopped,
}
