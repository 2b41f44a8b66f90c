namespace Kata.Hypervisor;

/// <summary>A VMM or its guest failed or refused. The text holds the VMM's last messages and the console's end, escaped.</summary>
internal sealed class HypervisorException : Exception
{
    internal HypervisorException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>The error class the VMM's control channel answered with, for example <c>GenericError</c>, or null.</summary>
    public string? Code { get; internal init; }

    /// <summary>Whether what the VMM complains of is the channel to a file server: then that one knows the cause.</summary>
    public bool IsOfSharedFilesystem { get; internal init; }
}
