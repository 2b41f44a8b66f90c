using Kata.Linux;
using Kata.Oci;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>
/// The host's side of a process that is about to be created: its streams or terminal, and whoever stands for it. Disposing before
/// <see cref="Release"/> takes it all back.
/// </summary>
internal sealed class ProcessFront : IAsyncDisposable
{
    private ConsoleSetup? _console;
    private StandIn? _foreground;
    private ChildProcess? _detached;

    private ProcessFront(ConsoleSetup console) => _console = console;

    /// <summary>The process id of whoever stands for the process.</summary>
    public int Pid => _detached?.Pid ?? Environment.ProcessId;

    /// <param name="socket">The pod's stand-in socket.</param>
    /// <param name="container">The container.</param>
    /// <param name="execId">Empty for its first process.</param>
    /// <param name="rootFs">The container's root file system on the host, which a detached stand-in shows as its root.</param>
    /// <param name="mounts">What a detached stand-in shows mounted there.</param>
    /// <param name="hostname">That of a detached stand-in's own uts namespace; null for what the host has.</param>
    /// <param name="network">
    /// The network namespace of a detached stand-in: that of the path, a new one without a path, the caller's for null.
    /// </param>
    /// <param name="request">Which terminal the process has, if any.</param>
    /// <param name="foreground">The command itself stands for the process.</param>
    public static async Task<ProcessFront> OpenAsync(
        string socket, ContainerId container, string execId, string rootFs, IReadOnlyList<ViewedMount> mounts, string? hostname,
        LinuxNamespace? network, ConsoleRequest request, bool foreground)
    {
        var front = new ProcessFront(ConsoleSetup.Open(request, foreground));
        try
        {
            ConsoleSetup console = front._console!;
            if (foreground)
            {
                front._foreground = await StandIn.ConnectAsync(
                    socket, container.Value, execId, console.Terminal, console.HandedOver, console.PlainNewlines, detached: false,
                    CancellationToken.None);
                front._foreground.ForwardSignals();
            }
            else
            {
                string[] arguments =
                [
                    "--socket", socket, "--container", container.Value, "--exec-id", execId, "--rootfs", rootFs,
                    "--hostname", hostname ?? "", .. request.Terminal ? new[] { "--terminal" } : [],
                    "--", .. mounts.SelectMany(static mount => mount.ToArguments()),
                ];
                front._detached = await Children.StartStandInAsync(arguments, console.ForChild(), network);
            }

            return front;
        }
        catch
        {
            await front.DisposeAsync();
            throw;
        }
    }

    /// <summary>The process exists: a detached stand-in lives on, one in the foreground is the caller's to wait for.</summary>
    public ForegroundProcess? Release()
    {
        _detached = null;
        if (_foreground is null)
        {
            return null;
        }

        var process = new ForegroundProcess(_foreground, _console!);
        (_foreground, _console) = (null, null);
        return process;
    }

    public async ValueTask DisposeAsync()
    {
        if (_foreground is not null)
        {
            await _foreground.DisposeAsync();
        }

        if (_detached is not null)
        {
            _detached.Kill(Signals.SIGKILL);
            await _detached.Exited;
        }

        _console?.Dispose();
    }
}
