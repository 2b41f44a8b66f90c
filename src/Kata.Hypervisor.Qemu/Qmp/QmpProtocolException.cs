namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>The other side of the control channel broke the protocol; the connection is of no use any more.</summary>
internal sealed class QmpProtocolException : Exception
{
    internal QmpProtocolException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
