namespace Kata.Netlink;

/// <summary>The list of a record: a copy that nobody changes, equal to another when the items are.</summary>
internal readonly struct ValueList<T> : IEquatable<ValueList<T>>
    where T : class
{
    private readonly T[]? _items;

    public ValueList(IReadOnlyList<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        _items = [.. items];
    }

    public IReadOnlyList<T> Items => _items is null ? [] : Array.AsReadOnly(_items);

    public bool Equals(ValueList<T> other) => _items.AsSpan().SequenceEqual(other._items.AsSpan());

    public override bool Equals(object? obj) => obj is ValueList<T> other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (T item in _items.AsSpan())
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }
}
