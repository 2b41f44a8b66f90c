namespace Kata.Network;

/// <summary>A pod's network cannot be read, or not be given to its guest. The text says what to do.</summary>
internal sealed class NetworkException : Exception
{
    internal NetworkException(string message)
        : base(message)
    {
    }

    internal NetworkException(string message, Exception cause)
        : base($"{message}: {cause.Message}", cause)
    {
    }
}
