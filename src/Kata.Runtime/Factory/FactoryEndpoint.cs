using System.Text.Json;
using Kata.Linux;
using Kata.Service;

namespace Kata.Runtime.Factory;

/// <summary>The socket of whoever keeps a pool: one word a connection.</summary>
internal static class FactoryEndpoint
{
    /// <summary>Asks for a <see cref="FactoryStatus"/>.</summary>
    public const string Status = "status";

    /// <summary>Has it end all that waits, and itself. The connection ends with it.</summary>
    public const string Stop = "stop";

    private const int MaxAnswerBytes = 1024 * 1024;

    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>To end a machine takes a moment, to end many as many.</summary>
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromMinutes(2);

    /// <summary>What the one who keeps the pool says of it; null where nobody does.</summary>
    /// <exception cref="TimeoutException">It does not answer.</exception>
    public static async Task<FactoryStatus?> AskAsync(string path) =>
        await CallAsync(path, Status, s_answerTimeout) is { } line
            ? JsonSerializer.Deserialize(line, FactoryJsonContext.Default.FactoryStatus)
            : null;

    /// <summary>Ends whoever keeps the pool, and all that waits there. Returns when that is done.</summary>
    /// <exception cref="TimeoutException">It takes too long.</exception>
    public static Task StopAsync(string path) => CallAsync(path, Stop, s_stopTimeout);

    private static async Task<string?> CallAsync(string path, string word, TimeSpan timeout)
    {
        SafeFileDescriptor socket;
        try
        {
            socket = UnixSocket.Connect(path);
        }
        catch (LinuxException error) when (error.Errno is Errno.ENOENT or Errno.ECONNREFUSED)
        {
            return null;
        }

        await using var connection = new LineConnection(new DescriptorStream(socket), MaxAnswerBytes);
        using var limit = new CancellationTokenSource(timeout);
        try
        {
            await connection.WriteLineAsync(word, limit.Token);
            return await connection.ReadLineAsync(null, limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException(
                $"Cannot reach the factory at '{path}': it did not answer within {timeout.TotalSeconds:0} s. "
                + "End its process, and try 'kata-runtime factory destroy' again");
        }
    }
}
