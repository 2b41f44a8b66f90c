using System.Runtime.InteropServices;
using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Runtime.Installing;

/// <summary>
/// Changes a user's configuration file: all or nothing, by a rename, with its owner and mode, through the symbolic link that it may be.
/// As it was it stays beside itself.
/// </summary>
internal static class AtomicFile
{
    /// <summary>What the copy of the file as it was is called; containerd imports no such name.</summary>
    public const string BackupSuffix = ".before-kata";

    private const string NewSuffix = ".kata-new";
    private const UnixFileMode UsualMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="ArgumentException">It is not text.</exception>
    public static string ReadText(string path)
    {
        try
        {
            return s_utf8.GetString(File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"Cannot read {SpecText.Quote(path)}: {CauseOf(error)}. Name containerd's configuration with '--file', and run as root",
                error.HResult);
        }
        catch (DecoderFallbackException)
        {
            throw new ArgumentException($"Cannot change {SpecText.Quote(path)}: it is not UTF-8. Correct it first; nothing was changed");
        }
    }

    /// <summary>Carries one change out. Returns the copy of what was there, null when nothing was.</summary>
    /// <exception cref="IOException">It could not be done, and nothing was changed.</exception>
    public static string? Apply(FileChange change)
    {
        string path = (change.Before is null ? null : File.ResolveLinkTarget(change.Path, returnFinalTarget: true)?.FullName)
            ?? change.Path;
        string? backup = change.Before is null ? null : path + BackupSuffix;
        try
        {
            if (change.Before is not null && !File.ReadAllBytes(path).AsSpan().SequenceEqual(s_utf8.GetBytes(change.Before)))
            {
                throw new IOException(
                    $"Cannot change {SpecText.Quote(path)}: somebody else has changed it meanwhile. Run the command again");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (change.After is not null)
            {
                WriteNew(path + NewSuffix, path, change.After);
            }

            if (backup is not null)
            {
                WriteNew(backup + NewSuffix, path, change.Before!);
                File.Move(backup + NewSuffix, backup, overwrite: true);
            }

            if (change.After is not null)
            {
                File.Move(path + NewSuffix, path, overwrite: true);
            }
            else
            {
                File.Delete(path);
            }

            return backup;
        }
        catch (Exception error) when (error is UnauthorizedAccessException
            || (error is IOException && !error.Message.StartsWith("Cannot ", StringComparison.Ordinal)))
        {
            throw new IOException(
                $"Cannot write {SpecText.Quote(path)}: {CauseOf(error)}. {RemedyOf(error)}; nothing was changed", error.HResult);
        }
        finally
        {
            TryDelete(path + NewSuffix);
            TryDelete(path + BackupSuffix + NewSuffix);
        }
    }

    // With mode and owner of the file whose place it takes, if there is one.
    private static void WriteNew(string path, string model, string text)
    {
        TryDelete(path); // of a run that was killed
        using var stream = new FileStream(
            path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 });
        using (SafeFileDescriptor old = LibC.open(model, LibC.O_PATH | LibC.O_CLOEXEC, 0))
        {
            File.SetUnixFileMode(stream.SafeFileHandle, old.IsInvalid ? UsualMode : File.GetUnixFileMode(model));
            if (!old.IsInvalid && LibC.geteuid() == 0)
            {
                FileStatus status = FileStatus.Of(old);
                LinuxException.ThrowIfNegative(LibC.chown(path, status.UserId, status.GroupId), "chown", $"give '{path}' its owner");
            }
        }

        stream.Write(s_utf8.GetBytes(text));
        stream.Flush(flushToDisk: true);
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // what stopped us is told already, and is the same
        }
    }

    private static string CauseOf(Exception error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException => "it does not exist",
        UnauthorizedAccessException => "permission is denied, or it is a directory",
        { HResult: > 0 and < 200 and var errno } => Marshal.GetPInvokeErrorMessage(errno), // .NET keeps the kernel's number there
        _ => error.Message.TrimEnd('.'),
    };

    private static string RemedyOf(Exception error) => (Errno)error.HResult switch
    {
        Errno.ENOSPC or Errno.EDQUOT => "Make room on that disk and run it again",
        Errno.EROFS => "Make that file system writable, or name another file with '--file' and have containerd import it",
        _ => "Run it as root, on a file that root may change",
    };
}
