using System.Collections.Immutable;

namespace Kata.Configuration;

/// <summary>The values that files and annotations set, by key id; what they do not set is the schema's default.</summary>
internal sealed class ConfigurationValues
{
    internal static readonly ConfigurationValues Empty = new(ImmutableDictionary<string, ConfigurationValue>.Empty);

    private readonly ImmutableDictionary<string, ConfigurationValue> _set;

    private ConfigurationValues(ImmutableDictionary<string, ConfigurationValue> set) => _set = set;

    /// <summary>What was set, in order of the ids.</summary>
    internal IEnumerable<KeyValuePair<string, ConfigurationValue>> Set => _set.OrderBy(item => item.Key, StringComparer.Ordinal);

    /// <summary>The value that was set, or the built-in one; null when that is computed.</summary>
    internal ConfigurationValue? Find(string id)
    {
        if (_set.TryGetValue(id, out ConfigurationValue? value))
            return value;
        object? builtIn = ConfigurationSchema.Find(id)?.Default;
        return builtIn is null ? null : new ConfigurationValue(builtIn, ConfigurationOrigin.BuiltIn);
    }

    /// <summary>As <see cref="Find"/>, for keys that have a built-in value.</summary>
    internal ConfigurationValue Get(string id) => Find(id) ?? throw new InvalidOperationException($"The key {id} has no built-in value.");

    /// <summary>The values without those that one place of one file set.</summary>
    internal ConfigurationValues Without(ConfigurationOrigin origin, out bool changed)
    {
        var rest = new ConfigurationValues(_set.RemoveRange(_set.Where(item => item.Value.Origin == origin).Select(item => item.Key)));
        changed = rest._set.Count < _set.Count;
        return rest;
    }

    internal ConfigurationValues With(string id, ConfigurationValue value) => new(_set.SetItem(id, value));
}
