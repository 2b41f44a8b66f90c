using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>Reads a stream into a <see cref="ConsoleLog"/> until it ends; always reads, so that the writer never waits for us.</summary>
internal static class StreamPump
{
    /// <summary>Never faults. Ends at the end of the stream, on an error of it, or when it is disposed.</summary>
    public static async Task RunAsync(Stream source, ConsoleLog target)
    {
        byte[] buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer, CancellationToken.None)) > 0)
            {
                target.Append(buffer.AsSpan(0, count));
            }
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            // The other side is gone; how it went is told by its process.
        }

        target.Complete();
    }
}
