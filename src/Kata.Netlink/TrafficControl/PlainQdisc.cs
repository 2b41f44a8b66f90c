namespace Kata.Netlink;

/// <summary>A qdisc without settings, or one whose settings the library does not know.</summary>
public sealed record PlainQdisc : QdiscKind
{
    /// <param name="name">The kernel's word: <c>pfifo_fast</c>, <c>fq_codel</c>, <c>noqueue</c>.</param>
    public PlainQdisc(string name) : base(name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
    }

    /// <summary>Filters for what comes in.</summary>
    public static PlainQdisc Ingress => new("ingress");

    /// <summary>Filters for what comes in and for what goes out.</summary>
    public static PlainQdisc ClsAct => new("clsact");
}
