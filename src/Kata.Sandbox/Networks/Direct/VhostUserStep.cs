using System.Diagnostics.CodeAnalysis;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// The way between a card and the program that carries its packets: to the program's socket, or to the pod's own at the same path, to which
/// the program connects. That one stays there for as long as the pod does, so that the program can come back.
/// </summary>
/// <param name="path">Absolute.</param>
/// <param name="listens">Whether it is the program that connects.</param>
/// <param name="card">The card.</param>
/// <param name="directory">Where the machine's end is made, in a directory of the pod that nobody else may enter.</param>
/// <param name="user">The machine's user and group.</param>
/// <param name="mountNamespace">Where the path is looked up; null for our own. Borrowed.</param>
/// <param name="limit">How long the program may take to connect.</param>
/// <param name="time">Measures it.</param>
[SuppressMessage("Design", "CA1001", Justification = "A step is undone, not disposed of")]
internal sealed class VhostUserStep(
    string path, bool listens, VhostUserNetworkDevice card, string directory, (uint User, uint Group) user,
    SafeFileDescriptor? mountNamespace, TimeSpan limit, TimeProvider time) : DeviceStep(card)
{
    private const string Caller = "the pod's caller";

    private SocketListener? _listener;
    private VhostUserRelay? _relay;

    public override string Name => $"the vhost-user socket '{path}'";

    public override IReadOnlyList<Acquisition> Records => listens ? [new SocketAcquisition(path)] : [];

    private string Action => $"Cannot give the vhost-user card at '{path}' to the guest";

    private string MachineSocket => Path.Combine(directory, VhostUserNetworkDevice.SocketName);

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        SafeFileDescriptor socket = Open();
        try
        {
            _listener = listens ? new SocketListener(socket) : null;
            SafeFileDescriptor program = listens ? await WaitForProgramAsync(cancellationToken) : socket;
            Directory.CreateDirectory(directory);
            _relay = new VhostUserRelay(program, ListenForMachine, FindProgramAsync, time);
        }
        catch
        {
            Release();
            socket.Dispose(); // the connection, where the pod does not listen
            throw;
        }
    }

    public override void HandOver(DeviceDescriptors descriptors) => descriptors.Add(Device.Id, LinuxException.ThrowIfInvalid(
        LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", $"open '{directory}'"));

    public override async Task UndoAsync(CancellationToken cancellationToken)
    {
        await _relay!.DisposeAsync();
        Release();
    }

    /// <summary>Whether the pod is to listen at a path: there is nothing yet.</summary>
    /// <exception cref="NetworkException">There is something that nobody can connect to.</exception>
    public static bool IsToListen(string path, SafeFileDescriptor? mountNamespace) =>
        NamespaceThread.RunIn(mountNamespace, Caller, () => SocketAcquisition.KindOf(path, flags: 0)) switch
        {
            null => true,
            { IsSocket: true } => false,
            _ => throw new NetworkException(
                $"Cannot give the vhost-user card at '{path}' to the guest: that is no socket. "
                    + "Name the program's, or a path where there is nothing, for the program to connect to"),
        };

    private SafeFileDescriptor Open()
    {
        try
        {
            return NamespaceThread.RunIn(
                mountNamespace, Caller, () => listens ? UnixSocket.ListenForGroup(path) : UnixSocket.Connect(path));
        }
        catch (LinuxException error)
        {
            throw (error.Errno, listens) switch
            {
                (Errno.ECONNREFUSED, _) => new NetworkException(
                    $"{Action}: nobody listens there. Start the program whose socket it is, or remove the file: "
                        + "then the pod listens, and the program has to connect"),
                (Errno.ENOENT, true) => new NetworkException(
                    $"{Action}: its directory is not there. Make it, or start the program whose socket it is to be", NetworkError.NotFound),
                (Errno.ENOENT or Errno.EADDRINUSE, _) => new NetworkException(
                    $"{Action}: the program that listens there came or went just now. Try again"),
                _ => new NetworkException(Action, error),
            };
        }
    }

    // The machine waits for the program as it starts, and answers nobody meanwhile.
    private async Task<SafeFileDescriptor> WaitForProgramAsync(CancellationToken cancellationToken)
    {
        // Ends early on: the caller, or the limit.
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        try
        {
            return await _listener!.AcceptAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NetworkException(
                $"{Action}: no program has connected there within {limit.TotalSeconds:0.#} s. Have it connect, as Open vSwitch does by a "
                    + "port of the type dpdkvhostuserclient with this vhost-server-path; or start one that listens there before the pod");
        }
    }

    private Task<SafeFileDescriptor> FindProgramAsync(CancellationToken cancellationToken) =>
        _listener?.AcceptAsync(cancellationToken)
        ?? Task.FromResult(NamespaceThread.RunIn(mountNamespace, Caller, () => UnixSocket.Connect(path)));

    private SafeFileDescriptor ListenForMachine()
    {
        File.Delete(MachineSocket); // an earlier connection's
        SafeFileDescriptor socket = UnixSocket.Listen(MachineSocket, backlog: 1);
        try
        {
            foreach (string name in (ReadOnlySpan<string>)[MachineSocket, directory])
            {
                LinuxException.ThrowIfNegative(LibC.chown(name, user.User, user.Group), "chown", $"give '{name}' to the machine");
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Release()
    {
        _listener?.Dispose();
        DirectoryTree.Remove(directory);
        if (listens)
        {
            NamespaceThread.RunIn(mountNamespace, Caller, () =>
            {
                SocketAcquisition.Remove(path);
                return true;
            });
        }
    }
}
