using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>The files that network plugins leave about the cards of a pod.</summary>
internal static class DirectNetworkFile
{
    /// <summary>Far more than thousands of routes have.</summary>
    internal const int MaxBytes = 1024 * 1024;

    /// <summary>The plan with the network of the pod's file, where there is one.</summary>
    /// <inheritdoc cref="Find"/>
    public static SandboxPlan Apply(SandboxPlan plan, string? directory)
    {
        if (Find(directory, plan.Id) is not { } network)
        {
            return plan;
        }

        bool isLimited = plan.Interfaces.ReceiveRate is not null || plan.Interfaces.SendRate is not null;
        return plan with
        {
            DirectNetwork = network,
            Warnings = !isLimited ? plan.Warnings :
            [
                .. plan.Warnings,
                $"The cards of '{network.Path}' have no limit of their rates: their back ends are not the pod's. Limit them there",
            ],
        };
    }

    /// <summary>Reads the file of a pod.</summary>
    /// <param name="directory">Absolute path of the directory, or null.</param>
    /// <param name="pod">The pod.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="InvalidSpecException">It holds what cannot be; the text names file and field.</exception>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static DirectNetwork? Find(string? directory, SandboxId pod)
    {
        if (directory is null)
        {
            return null;
        }

        string path = Path.Combine(directory, $"{pod}.json");
        try
        {
            return Read(path) is { } utf8 ? DirectNetworkParser.Parse(utf8, path) : null;
        }
        catch (InvalidSpecException error)
        {
            throw error.InFile(path);
        }
    }

    private static byte[]? Read(string path)
    {
        // Not to wait, as with a fifo.
        SafeFileDescriptor file = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK, 0);
        if (file.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("open", $"open '{path}'");
            file.Dispose();
            return error.Errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw error;
        }

        using Stream stream = OpenRegular(file);
        byte[] buffer = new byte[MaxBytes];
        return buffer[..stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
    }

    // Takes ownership.
    private static FileStream OpenRegular(SafeFileDescriptor file)
    {
        using (file)
        {
            FileStatus status = FileStatus.Of(file);
            return status.IsRegularFile && status.Size <= MaxBytes
                ? new FileStream(file.ToFileHandle(), FileAccess.Read, bufferSize: 0)
                : throw new InvalidSpecException(
                    "", status.IsRegularFile ? $"has {status.Size} bytes" : "is no regular file",
                    $"It must be a file of at most {MaxBytes} bytes");
        }
    }
}
