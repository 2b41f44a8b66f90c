using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Opens the streams that a request of containerd names.</summary>
internal static class ContainerdStdio
{
    private const uint LogMode = FileModes.Readable;
    private const UnixFileMode DirectoryMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>
    /// A logger takes both outputs. A file that standard output goes to takes standard error too, unless that has a name of its own. A
    /// terminal has no standard error.
    /// </summary>
    /// <exception cref="ArgumentException">A name cannot be used.</exception>
    /// <exception cref="LinuxException">A fifo or file cannot be opened.</exception>
    /// <exception cref="IOException">The logger cannot be started.</exception>
    public static async Task<ProcessStdio> OpenAsync(StdioNames names, Func<StdioAddress, Task<LoggerProcess>> startLogger)
    {
        (string input, string output, string error, bool terminal) = names;
        StdioAddress? inputAddress = StdioAddress.Parse(input);
        if (inputAddress is { Scheme: not StdioScheme.Fifo })
        {
            throw new ArgumentException(
                $"Cannot use the stream {SpecText.Quote(input)}: input comes from a fifo only. Give the path of one");
        }

        StdioAddress? outputAddress = StdioAddress.Parse(output);
        StdioAddress? errorAddress = terminal
            ? null
            : StdioAddress.Parse(error.Length == 0 && outputAddress is { Scheme: StdioScheme.File } ? output : error);
        bool hasLogger = outputAddress is { Scheme: StdioScheme.Binary };
        if ((hasLogger || errorAddress is { Scheme: StdioScheme.Binary }) && errorAddress is not null && error != output)
        {
            throw new ArgumentException(
                $"Cannot use the stream {SpecText.Quote(error)}: a logger takes standard output and standard error together. "
                    + "Give both the same URI");
        }

        var opened = new List<IDisposable?>();
        try
        {
            // A second descriptor keeps the input open until CloseIO: its writer may go and come again, and what it wrote before is
            // read to the end.
            DescriptorStream? inputStream = Keep(OpenFifo(inputAddress?.Path, LibC.O_RDONLY));
            SafeFileDescriptor? keeper = Keep(inputAddress is null ? null : OpenPath(inputAddress.Path, LibC.O_WRONLY | LibC.O_NONBLOCK));
            if (hasLogger)
            {
                LoggerProcess started = await startLogger(outputAddress!);
                if (terminal)
                {
                    await started.Error.DisposeAsync();
                }

                return new ProcessStdio
                {
                    Input = inputStream,
                    Output = started.Output,
                    Error = terminal ? null : started.Error,
                    InputKeeper = keeper,
                    Reader = started,
                    Names = names,
                };
            }

            return new ProcessStdio
            {
                Input = inputStream,
                Output = Keep(OpenOutput(outputAddress)),
                Error = Keep(OpenOutput(errorAddress)),
                InputKeeper = keeper,
                Names = names,
            };
        }
        catch
        {
            opened.ForEach(static stream => stream?.Dispose());
            throw;
        }

        T? Keep<T>(T? stream)
            where T : class, IDisposable
        {
            opened.Add(stream);
            return stream;
        }
    }

    // Fifos are opened for both directions, so that a reader may go and come again.
    private static DescriptorStream? OpenOutput(StdioAddress? address) =>
        address is { Scheme: StdioScheme.File } ? OpenFile(address.Path) : OpenFifo(address?.Path, LibC.O_RDWR);

    private static DescriptorStream? OpenFifo(string? path, int access) =>
        path is null ? null : new DescriptorStream(OpenPath(path, access | LibC.O_NONBLOCK));

    private static DescriptorStream OpenFile(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, DirectoryMode);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"Cannot make the directory of the log {SpecText.Quote(path)}: {FileErrors.CauseOf(error)}. "
                    + "Correct the path in the log URI",
                error.HResult);
        }

        SafeFileDescriptor file = OpenPath(path, LibC.O_WRONLY | LibC.O_APPEND | LibC.O_CREAT | LibC.O_NOCTTY | LibC.O_NONBLOCK);
        try
        {
            return FileStatus.Of(file).IsRegularFile ? DescriptorStream.OverRegularFile(file) : new DescriptorStream(file);
        }
        catch (LinuxException error) when (error.Errno == Errno.EPERM)
        {
            return DescriptorStream.OverRegularFile(file); // /dev/null and the like: nothing to poll, always ready
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static SafeFileDescriptor OpenPath(string path, int access) =>
        LinuxException.ThrowIfInvalid(LibC.open(path, access | LibC.O_CLOEXEC, LogMode), "open", $"open the stream '{path}'");
}
