namespace Kata.Network;

/// <summary>What kind of failure a <see cref="NetworkException"/> is.</summary>
internal enum NetworkError
{
    /// <summary>The host or the machine cannot, or not now.</summary>
    Refused,

    /// <summary>There is no such thing.</summary>
    NotFound,

    /// <summary>Something else has that name or address.</summary>
    AlreadyExists,
}
