namespace Kata.Netlink;

/// <summary>A link that takes the ingress of others, so that it can be queued.</summary>
public sealed record IfbKind : LinkKind
{
    internal const string KindName = "ifb";

    /// <summary>It has no settings.</summary>
    public IfbKind() : base(KindName)
    {
    }

    internal override void Write(MessageWriter message)
    {
    }
}
