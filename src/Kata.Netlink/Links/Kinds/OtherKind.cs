namespace Kata.Netlink;

/// <summary>A kind whose settings the library does not know; it can be made if it needs none.</summary>
public sealed record OtherKind : LinkKind
{
    /// <param name="name">The kernel's word.</param>
    public OtherKind(string name) : base(name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
    }

    internal override void Write(MessageWriter message)
    {
    }
}
