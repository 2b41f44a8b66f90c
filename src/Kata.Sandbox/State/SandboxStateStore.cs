using System.Globalization;
using System.Text.Json;

namespace Kata.Sandbox;

/// <summary>Reads and writes <c>state.json</c>. Writing is atomic: a reader sees the old document or the new one, never half of one.</summary>
internal static class SandboxStateStore
{
    private const int MaxFileBytes = 16 * 1024 * 1024;

    /// <summary>Replaces the document (write, fsync, rename).</summary>
    /// <exception cref="IOException">The document could not be written, for example because the disk is full; the old one stands.</exception>
    public static void Write(string path, SandboxState state)
    {
        string temporary = path + ".new";
        try
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
        catch (UnauthorizedAccessException error) // .NET's word for EACCES and EPERM: for callers a failure like any other
        {
            throw new IOException($"Cannot write the pod state '{path}': permission is denied. Remove what is in its place", error);
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

            // The reader checks members, not items.
            return state.Containers.All(static container => container is not null && !container.Annotations.Values.Contains(null!))
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
                CultureInfo.InvariantCulture, $"at '{error.Path ?? "$"}' in line {(error.LineNumber ?? 0) + 1} something is missing, null or not of its kind"));
        }
    }

    private static InvalidDataException Malformed(string path, string cause) =>
        new($"Cannot read the pod state '{path}': {cause}. Remove the pod with 'kata-runtime delete --force'");
}
