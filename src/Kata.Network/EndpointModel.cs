namespace Kata.Network;

/// <summary>How an interface and a guest's card are connected, in Kata's words: <c>internetworking_model</c>.</summary>
internal enum EndpointModel
{
    /// <summary>A tap, and filters that send what arrives at the one by the other.</summary>
    TcFilter,

    /// <summary>A macvtap over the interface, which has all of its frames.</summary>
    Macvtap,

    /// <summary>A tap that is connected with nothing.</summary>
    None,
}
