using Kata.Configuration;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Service;

/// <summary>A claim of this process that has come, and is to be answered once. Owns the connection and what came with it.</summary>
internal sealed class WarmClaim : IAsyncDisposable
{
    /// <summary>The answer to one that is granted; to another, <c>error</c> and why.</summary>
    public const string Granted = "ok";

    /// <summary>One short line fits into any socket's buffer.</summary>
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(1);

    private readonly LineConnection _connection;
    private readonly SafeFileDescriptor _mountNamespace;

    /// <summary>Takes ownership of the connection and the descriptors.</summary>
    public WarmClaim(LineConnection connection, ClaimRequest request, SafeFileDescriptor mountNamespace, SafeFileDescriptor podLock)
    {
        (_connection, _mountNamespace, Request) = (connection, mountNamespace, request);
        Options = new ServiceOptions
        {
            Root = request.Root,
            Sandbox = SandboxId.Parse(request.Sandbox),
            Configuration = ConfigurationSources.ForHost(request.Configuration),
            PodLock = podLock,
            CallerMountNamespace = mountNamespace,
            CallerUmask = request.Umask,
            CallerVariables = request.Variables,
            CallerLimits = ResourceLimits.Parse(request.Limits),
            Containerd = request.Containerd,
        };
    }

    public ClaimRequest Request { get; }

    /// <summary>The pod's service, as one that is started for it would have them.</summary>
    public ServiceOptions Options { get; }

    /// <summary>Says that the pod can be called from now on.</summary>
    public Task AcceptAsync() => TryAnswerAsync(Granted);

    /// <summary>Says why it cannot be.</summary>
    public Task TryRefuseAsync(string why) => TryAnswerAsync($"error {why.ReplaceLineEndings(" ")}");

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        _mountNamespace.Dispose();
        Options.PodLock?.Dispose();
    }

    // Whoever asked may have gone: the pod is there all the same, for whoever deletes it.
    private async Task TryAnswerAsync(string line)
    {
        try
        {
            using var limit = new CancellationTokenSource(s_answerTimeout);
            await _connection.WriteLineAsync(line, limit.Token);
        }
        catch (Exception error) when (error is LinuxException or IOException or OperationCanceledException)
        {
        }
    }
}
