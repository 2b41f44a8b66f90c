using System.Globalization;
using System.Text;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Hosting;

/// <summary>
/// What the caller of <c>start</c> and <c>run</c> learns by its <c>NOTIFY_SOCKET</c>, sd_notify(3): that the container is ready, and which
/// process stands for it. The command sends it itself, as systemd listens to a unit's own processes only.
/// </summary>
internal sealed class ReadinessReport : IDisposable
{
    /// <summary>As sd_notify_barrier(3) is used: a receiver that does not know it must not hold us up for ever.</summary>
    private static readonly TimeSpan s_barrierTimeout = TimeSpan.FromSeconds(30);

    private readonly SafeFileDescriptor _caller;
    private readonly DatagramReceiver _container;
    private readonly int _pid;

    private ReadinessReport(SafeFileDescriptor caller, DatagramReceiver container, int pid) =>
        (_caller, _container, _pid) = (caller, container, pid);

    /// <summary>Whether a container that is created now has a socket for notifications.</summary>
    public static bool IsAskedFor => CallersSocket is not null;

    private static string? CallersSocket => Environment.GetEnvironmentVariable(NotifySocket.Variable) is { Length: > 0 } path ? path : null;

    /// <summary>Listens to a container that is about to start. Null when nobody waits for it, or it has no such socket.</summary>
    public static ReadinessReport? Begin(SandboxDirectories directories, SandboxId sandbox, ContainerState state)
    {
        if (CallersSocket is not { } path || state.NotifyPath != directories.NotifySocket(sandbox, ContainerId.Parse(state.Id)))
        {
            return null;
        }

        SafeFileDescriptor caller;
        try
        {
            caller = UnixSocket.ConnectDatagram(path);
        }
        catch (LinuxException error)
        {
            Console.Error.WriteLine($"kata-runtime: warning: Cannot say when '{state.Id}' is ready: {error.Message}. "
                + $"Unset {NotifySocket.Variable} if nobody is to know");
            return null;
        }

        try
        {
            return new ReadinessReport(
                caller, new DatagramReceiver(state.NotifyPath, FileModes.Private /* the service's alone */), state.Pid);
        }
        catch
        {
            caller.Dispose();
            throw;
        }
    }

    /// <summary>Returns when the container was ready and the caller knows it, or when <paramref name="ended"/> has completed.</summary>
    /// <param name="ended">Completes with the container's end.</param>
    public async Task TellAsync(Task ended)
    {
        using var stopping = new CancellationTokenSource();
        Task<byte[]> ready = WaitAsync(stopping.Token);
        if (await Task.WhenAny(ready, ended) != ready)
        {
            await stopping.CancelAsync();
            await ((Task)ready).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        try
        {
            Send(await ready);
            Send(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"MAINPID={_pid}\n")));
            await AwaitReceiptAsync();
        }
        catch (LinuxException error)
        {
            await Console.Error.WriteLineAsync($"kata-runtime: warning: Cannot say that the container is ready: {error.Message}");
        }
    }

    public void Dispose()
    {
        _container.Dispose();
        _caller.Dispose();
    }

    /// <summary>The line of a datagram that says so, or null. Nothing else goes to the caller: its unit is not the container's.</summary>
    internal static byte[]? ReadyLine(byte[] datagram) =>
        Array.Find(
            Encoding.UTF8.GetString(datagram).Split('\n'),
            static line => line.StartsWith("READY=", StringComparison.Ordinal)) is { } line
            ? Encoding.UTF8.GetBytes(line + "\n")
            : null;

    private async Task<byte[]> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (ReadyLine(await _container.ReceiveAsync(cancellationToken)) is { } ready)
            {
                return ready;
            }
        }
    }

    private void Send(byte[] text) => _ = DescriptorPassing.Send(_caller, text, []);

    // sd_notify_barrier(3): whoever has read all closes the pipe. Else systemd may look for our process when it is gone.
    private async Task AwaitReceiptAsync()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var pipe = new DescriptorStream(read);
        using (write)
        {
            _ = DescriptorPassing.Send(_caller, "BARRIER=1"u8, [write]);
        }

        using var limit = new CancellationTokenSource(s_barrierTimeout);
        try
        {
            _ = await pipe.ReadAsync(new byte[1], limit.Token);
        }
        catch (OperationCanceledException)
        {
            // it does not know barriers
        }
    }
}
