namespace Kata.Storage;

/// <summary>A storage or a daemon that serves one cannot be used. The text says what to do.</summary>
internal sealed class StorageException : Exception
{
    internal StorageException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
