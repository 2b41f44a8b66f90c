using System.Text.Json.Serialization;

namespace Kata.Runtime.Commands;

/// <summary>As Go reads and writes its structures: names in any case when they are read, numbers also as texts.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(InterfaceDocument))]
[JsonSerializable(typeof(List<InterfaceDocument>))]
[JsonSerializable(typeof(List<RouteDocument>))]
internal sealed partial class NetworkJsonContext : JsonSerializerContext;
