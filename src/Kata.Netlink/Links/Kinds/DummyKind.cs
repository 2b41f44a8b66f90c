namespace Kata.Netlink;

/// <summary>A link that drops what is sent.</summary>
public sealed record DummyKind : LinkKind
{
    internal const string KindName = "dummy";

    /// <summary>It has no settings.</summary>
    public DummyKind() : base(KindName)
    {
    }

    internal override void Write(MessageWriter message)
    {
    }
}
