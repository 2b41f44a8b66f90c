namespace Kata.Netlink;

/// <summary>An action that the library does not know. It is only read.</summary>
public sealed record OtherAction : TrafficAction
{
    internal OtherAction(string kind) : base(kind)
    {
    }

    internal override void Write(MessageWriter message) =>
        throw new ArgumentException($"Cannot make an action of kind '{Kind}': only '{MirredAction.KindName}' is known");
}
