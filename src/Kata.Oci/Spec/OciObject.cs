using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>
/// What every object of an OCI document has in common: members this library does not know are kept and written back.
/// </summary>
public abstract record OciObject
{
    /// <summary>Members of the document that have no property here, by name; null when there are none.</summary>
    /// <remarks>Settable after construction because the source-generated reader cannot fill an <c>init</c> property.</remarks>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? UnknownMembers { get; set; }

    /// <summary>The name of the type only: values such as the environment must not reach a log by accident.</summary>
    public sealed override string ToString() => GetType().Name;
}
