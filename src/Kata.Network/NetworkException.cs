namespace Kata.Network;

/// <summary>A pod's network cannot be read, changed, or given to its guest. The text says what to do.</summary>
internal sealed class NetworkException : Exception
{
    internal NetworkException(string message, NetworkError error = NetworkError.Refused)
        : base(message) => Error = error;

    internal NetworkException(string message, Exception cause)
        : base($"{message}: {cause.Message}", cause)
    {
    }

    public NetworkError Error { get; }
}
