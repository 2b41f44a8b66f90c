namespace Kata.Netlink;

/// <summary>Where packets go, and whether they go on here, too (TCA_EGRESS_, TCA_INGRESS_, linux/tc_act/tc_mirred.h).</summary>
public enum MirredDirection
{
    /// <summary>They are sent by the other link instead.</summary>
    EgressRedirect = 1,

    /// <summary>They are sent by the other link, too.</summary>
    EgressMirror = 2,

    /// <summary>They come in by the other link instead.</summary>
    IngressRedirect = 3,

    /// <summary>They come in by the other link, too.</summary>
    IngressMirror = 4,
}
