using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Stdio;

/// <summary>The three streams of one process, and the ends its process is given. Owned by the process's record.</summary>
internal sealed class ProcessStdio : IDisposable
{
    private const int PipeSize = 1024 * 1024; // the kernel's own limit for users, /proc/sys/fs/pipe-max-size
    private const uint OpenToAll = FileModes.Open;

    private readonly List<SafeFileDescriptor> _childEnds;
    private readonly Lock _gate = new();
    private SafeFileDescriptor? _terminal; // guarded by _gate
    private TerminalSize? _size; // guarded by _gate

    private ProcessStdio(
        InputChannel? input, OutputChannel? output, OutputChannel? error, List<SafeFileDescriptor> childEnds, bool isTerminal)
    {
        Input = input;
        Output = output;
        Error = error;
        _childEnds = childEnds;
        IsTerminal = isTerminal;
    }

    public bool IsTerminal { get; }

    public InputChannel? Input { get; private set; }

    public OutputChannel? Output { get; private set; }

    /// <summary>Null for a terminal, whose two outputs are one.</summary>
    public OutputChannel? Error { get; }

    /// <summary>0 while no host is attached, 1 while one is.</summary>
    public int Attached;

    /// <summary>What the child gets as 0, 1 and 2; empty for a terminal.</summary>
    public IReadOnlyDictionary<int, SafeFileDescriptor> ChildDescriptors =>
        _childEnds.Index().ToDictionary(static item => item.Index, static item => item.Item);

    /// <summary>Three pipes.</summary>
    public static ProcessStdio CreatePipes()
    {
        (SafeFileDescriptor inRead, SafeFileDescriptor inWrite) = NewPipe();
        (SafeFileDescriptor outRead, SafeFileDescriptor outWrite) = NewPipe();
        (SafeFileDescriptor errRead, SafeFileDescriptor errWrite) = NewPipe();
        return new ProcessStdio(
            new InputChannel(new DescriptorStream(inWrite), isTerminal: false),
            new OutputChannel(new DescriptorStream(outRead), isTerminal: false),
            new OutputChannel(new DescriptorStream(errRead), isTerminal: false),
            [inRead, outWrite, errWrite],
            isTerminal: false);
    }

    /// <summary>A terminal that is still to be made; its controlling side comes by <see cref="SetTerminal"/>.</summary>
    public static ProcessStdio CreateTerminal(TerminalSize? size) => new(null, null, null, [], isTerminal: true) { _size = size };

    /// <summary>Takes ownership of the controlling side.</summary>
    public void SetTerminal(SafeFileDescriptor controller)
    {
        lock (_gate)
        {
            _terminal = controller;
            if (_size is { } size)
            {
                Terminal.SetSize(controller, size);
            }

            // Two descriptors of one open file: reading and writing end independently.
            Input = new InputChannel(new DescriptorStream(controller.Duplicate()), isTerminal: true);
            Output = new OutputChannel(new DescriptorStream(controller.Duplicate()), isTerminal: true);
        }
    }

    /// <summary>Resizes the terminal, now or when it is made.</summary>
    /// <exception cref="Grpc.Core.RpcException">FailedPrecondition: this process has no terminal.</exception>
    public void Resize(TerminalSize size)
    {
        if (!IsTerminal)
        {
            throw AgentException.WrongState("Cannot resize the terminal: the process has none. Start it with a terminal");
        }

        lock (_gate)
        {
            _size = size;
            if (_terminal is { IsClosed: false })
            {
                Terminal.SetSize(_terminal, size);
            }
        }
    }

    /// <summary>Closes our copies of the child's ends, so that its end of file can be seen. Call it once the child has them.</summary>
    public void ReleaseChildEnds()
    {
        _childEnds.ForEach(static end => end.Dispose());
        _childEnds.Clear();
    }

    /// <summary>Tells both outputs that the process has ended.</summary>
    public void ProcessEnded()
    {
        Output?.ProcessEnded();
        Error?.ProcessEnded();
    }

    /// <summary>Everything was read to its end.</summary>
    public bool OutputEnded => Output is not { Ended: false } && Error is not { Ended: false };

    public void Dispose()
    {
        ReleaseChildEnds();
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
        lock (_gate)
        {
            _terminal?.Dispose();
        }
    }

    private static (SafeFileDescriptor Read, SafeFileDescriptor Write) NewPipe()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        // A program that gave up root may open /dev/stdout by name, as nginx and php-fpm do: pipes are as open as engines make theirs. No
        // other container can reach them.
        _ = LibC.fchmod(write, OpenToAll);
        _ = LibC.fcntl_int(write, LibC.F_SETPIPE_SZ, PipeSize); // best effort: the default of 64 KiB works too
        return (read, write);
    }
}
