using System.Globalization;
using System.Text.Json;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>
/// The pods' services that wait to be claimed, each with its directory in the pool's state root, <c>KEY-NUMBER</c>: what it is made of and
/// which one of these it is. Nobody stands between them and whoever claims one.
/// </summary>
/// <param name="directories">Its state root.</param>
/// <param name="endpoint">The socket of whoever keeps it; null where he is not to be told.</param>
internal sealed class WarmPool(SandboxDirectories directories, string? endpoint = null)
{
    /// <summary>What whoever keeps the pool is told when somebody has found nothing there.</summary>
    public const string Missed = "missed";

    /// <summary>A service that waits answers at once; one that cannot is nobody's to wait for.</summary>
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(5);

    // The service does for its caller what it would do if it had been started by him: by descriptors where they differ from a pool's.
    private static readonly string[] s_sharedNamespaces = ["net", "pid", "user", "ipc", "uts"];

    /// <summary>The name of one that waits.</summary>
    public static SandboxId NameOf(string key, int number) => SandboxId.Parse($"{key}-{number}");

    /// <summary>Those that wait, or are about to, whatever they are made of.</summary>
    public IEnumerable<SandboxId> All() => directories.Sandboxes();

    /// <summary>Whether what waits there is made of what the key says.</summary>
    public static bool IsOf(SandboxId waiting, string key) => waiting.Value.StartsWith(key + "-", StringComparison.Ordinal);

    /// <summary>Claims one that is made of what the key says; null when there is none that takes the claim.</summary>
    /// <param name="key">See <see cref="MachineKey"/>.</param>
    /// <param name="request">What it is for.</param>
    /// <param name="mountNamespace">Where the caller is; borrowed.</param>
    public async Task<ClaimedPod?> TryClaimAsync(string key, ClaimRequest request, SafeFileDescriptor mountNamespace)
    {
        // A directory keeps its file system when it gets another name.
        bool here = DeviceOf(directories.Root) is { } device && DeviceOf(request.Root) == device;
        foreach (SandboxId waiting in here ? All().Where(item => IsOf(item, key)) : [])
        {
            // Whoever has the lock is the only one who claims it, or who removes it.
            if (PodLock.TryTake(directories.Sandbox(waiting)) is not { } podLock)
            {
                continue;
            }

            try
            {
                if (await TryClaimAsync(waiting, podLock, request, mountNamespace) is { } process)
                {
                    return new ClaimedPod(PidFd.TryOpen(process), podLock);
                }
            }
            catch (Exception error) when (error is LinuxException or IOException or OperationCanceledException)
            {
                // It boots still, or has ended: the next one.
            }

            podLock.Dispose();
        }

        await TellMissAsync();
        return null;
    }

    private async Task<int?> TryClaimAsync(SandboxId waiting, PodLock podLock, ClaimRequest request, SafeFileDescriptor mountNamespace)
    {
        SafeFileDescriptor socket = UnixSocket.Connect(directories.ClaimSocket(waiting));
        await using var connection = new LineConnection(new DescriptorStream(socket));
        int process = UnixSocket.PeerCredentials(socket).pid;
        if (!s_sharedNamespaces.All(name => NamespaceOf("self", name) == NamespaceOf(process.ToString(CultureInfo.InvariantCulture), name)))
        {
            return null;
        }

        using var limit = new CancellationTokenSource(s_answerTimeout);
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(request, ServiceJsonContext.Default.ClaimRequest), (byte)'\n'];
        int sent = DescriptorPassing.Send(socket, line, [mountNamespace, podLock.Descriptor]);
        await connection.WriteAsync(line.AsMemory(sent), limit.Token);
        return await connection.ReadLineAsync(null, limit.Token) == WarmClaim.Granted ? process : null;
    }

    // He may have gone, or may have to look what machines are made of now.
    private async Task TellMissAsync()
    {
        try
        {
            if (endpoint is not null)
            {
                using var limit = new CancellationTokenSource(s_answerTimeout);
                await using var connection = new LineConnection(new DescriptorStream(UnixSocket.Connect(endpoint)));
                await connection.WriteLineAsync(Missed, limit.Token);
            }
        }
        catch (Exception error) when (error is LinuxException or IOException or OperationCanceledException)
        {
        }
    }

    private static ulong? DeviceOf(string directory)
    {
        using SafeFileDescriptor opened = LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
        return opened.IsInvalid ? null : FileStatus.Of(opened).Device;
    }

    private static string? NamespaceOf(string process, string name) => new FileInfo($"/proc/{process}/ns/{name}").LinkTarget;
}
