using System.Globalization;
using System.Text.Json;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Reads and writes <c>state.json</c>. Writing is atomic: a reader sees the old document or the new one, never half of one. Only when
/// the disk is full the new one is written over the old one, by one write: a state that is wrong for ever is worse.
/// </summary>
internal static class SandboxStateStore
{
    private const int MaxFileBytes = 16 * 1024 * 1024;

    /// <summary>What a file holds of a disk is a multiple of this on every file system that a state root is on.</summary>
    private const int BlockBytes = 4096;

    /// <summary>Replaces the document (write, fsync, rename).</summary>
    /// <exception cref="IOException">
    /// The document could not be written, for example because the disk is full; the old one stands.
    /// </exception>
    public static void Write(string path, SandboxState state)
    {
        string temporary = path + ".new";
        try
        {
            WriteAnew(path, temporary, state);
        }
        catch (UnauthorizedAccessException error) // .NET's word for EACCES and EPERM: for callers a failure like any other
        {
            throw new IOException($"Cannot write the pod state '{path}': permission is denied. Remove what is in its place", error);
        }
        catch (IOException error) when (error.HResult is (int)Errno.ENOSPC or (int)Errno.EDQUOT && TryWriteOver(path, state))
        {
            File.Delete(temporary);
        }
    }

    /// <summary>The document, or null when there is none.</summary>
    /// <exception cref="InvalidDataException">It is not one of ours, or of a later version.</exception>
    public static SandboxState? Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > MaxFileBytes)
            {
                throw Malformed(path, $"it has {stream.Length} bytes, more than {MaxFileBytes}");
            }

            SandboxState state = JsonSerializer.Deserialize(stream, SandboxJsonContext.Default.SandboxState)
                ?? throw Malformed(path, "it holds only 'null'");
            if (state.Version > SandboxState.CurrentVersion)
            {
                throw Malformed(path, $"its version is {state.Version}, this runtime knows up to {SandboxState.CurrentVersion}");
            }

            // The reader checks neither items nor what may be missing.
            return state.Containers?.All(static container => container?.Annotations?.Values.Contains(null!) == false) == true
                ? state
                : throw Malformed(path, "it holds null in place of a container or an annotation");
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException error)
        {
            throw Malformed(path, string.Create(
                CultureInfo.InvariantCulture,
                $"at '{error.Path ?? "$"}' in line {(error.LineNumber ?? 0) + 1} something is missing, null or not of its kind"));
        }
    }

    private static void WriteAnew(string path, string temporary, SandboxState state)
    {
        using (FileStream stream = new(temporary, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            JsonSerializer.Serialize(stream, state, SandboxJsonContext.Default.SandboxState);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    // Into the blocks that the old document has already; false when there is none or they are too few.
    private static bool TryWriteOver(string path, SandboxState state)
    {
        byte[] document = JsonSerializer.SerializeToUtf8Bytes(state, SandboxJsonContext.Default.SandboxState);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            if (document.Length > (stream.Length + BlockBytes - 1) / BlockBytes * BlockBytes)
            {
                return false;
            }

            // A shorter one is filled up with space, which JSON allows at its end: no moment shows a document with the old one's tail.
            byte[] padded = new byte[Math.Max(document.Length, stream.Length)];
            padded.AsSpan().Fill((byte)' ');
            document.CopyTo(padded, 0);
            stream.Write(padded);
            stream.Flush(flushToDisk: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static InvalidDataException Malformed(string path, string cause) =>
        new($"Cannot read the pod state '{path}': {cause}. Remove the pod with 'kata-runtime delete --force'");
}
