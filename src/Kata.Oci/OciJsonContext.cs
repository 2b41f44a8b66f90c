using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>
/// The source-generated JSON form of the OCI documents. For input from outside prefer <see cref="OciJson"/>, which limits the size
/// and explains what is wrong with a document.
/// </summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    MaxDepth = OciJson.MaxDepth)]
[JsonSerializable(typeof(RuntimeSpec))]
[JsonSerializable(typeof(RuntimeState))]
[JsonSerializable(typeof(ProcessSpec))]
[JsonSerializable(typeof(LinuxResources))]
internal sealed partial class OciJsonContext : JsonSerializerContext;
