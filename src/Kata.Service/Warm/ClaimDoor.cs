using System.Text.Json;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Service;

/// <summary>Where a process of the pool is claimed. One claim is taken, and nobody else gets in then.</summary>
/// <param name="path">The socket; it goes with its directory.</param>
/// <param name="shortage">Told when commands must wait because there is no descriptor for them.</param>
internal sealed class ClaimDoor(string path, Action<LinuxException> shortage) : IDisposable
{
    /// <summary>An environment may be large.</summary>
    public const int MaxRequestBytes = 4 * 1024 * 1024;

    /// <summary>A command says at once what it wants.</summary>
    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromSeconds(5);

    private readonly SocketListener _listener = new(UnixSocket.Listen(path), shortage);

    /// <summary>The claim; the caller owns it. Null when <paramref name="ended"/> came first.</summary>
    public async Task<WarmClaim?> WaitAsync(Task ended, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<SafeFileDescriptor> accept = _listener.AcceptAsync(cancellationToken);
            if (await Task.WhenAny(accept, ended) != accept)
            {
                return null;
            }

            if (await ReadAsync(await accept, cancellationToken) is { } claim)
            {
                return claim;
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    // Null when it is none: its connection is closed, which it sees.
    private static async Task<WarmClaim?> ReadAsync(SafeFileDescriptor socket, CancellationToken cancellationToken)
    {
        var connection = new LineConnection(new DescriptorStream(socket), MaxRequestBytes);
        var descriptors = new List<SafeFileDescriptor>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_requestTimeout);
        try
        {
            if (await connection.ReadLineAsync(descriptors, limit.Token) is { } line
                && JsonSerializer.Deserialize(line, ServiceJsonContext.Default.ClaimRequest) is { } request
                && SandboxId.TryParse(request.Sandbox, out _)
                && descriptors is [var mountNamespace, var podLock])
            {
                return new WarmClaim(connection, request, mountNamespace, podLock);
            }
        }
        catch (Exception error) when (
            error is JsonException or InvalidDataException or IOException or LinuxException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            // Whatever it was, it was no command of ours.
        }

        descriptors.ForEach(static descriptor => descriptor.Dispose());
        await connection.DisposeAsync();
        return null;
    }
}
