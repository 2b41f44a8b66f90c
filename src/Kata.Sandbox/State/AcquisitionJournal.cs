using System.Text;
using System.Text.Json;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Sandbox;

/// <summary>
/// The undo log of a pod: every thing it acquires on the host is written here <em>before</em> it is made, so that whoever
/// comes after a kill at any instant can release all of it in reverse order.
/// </summary>
/// <remarks>
/// One JSON object a line, appended by a single write(2). The file lies on a tmpfs and must survive our death, not the
/// machine's, so nothing is synced. A torn line (the disk was full) never belonged to a thing that was made: skipped; the next
/// record begins on a line of its own.
/// Mounts are absent on purpose: they exist only in the service's private mount namespace and die with its last process.
/// </remarks>
internal sealed class AcquisitionJournal : IDisposable
{
    private const int MaxFileBytes = 16 * 1024 * 1024;

    private readonly SafeFileDescriptor _file;
    private readonly string _path;
    private bool _torn; // the file may end within a line

    private AcquisitionJournal(SafeFileDescriptor file, string path) =>
        (_file, _path, _torn) = (file, path, FileStatus.Of(file).Size > 0);

    /// <summary>Opens the journal for appending, creating it when it is missing.</summary>
    public static AcquisitionJournal Open(string path) => new(
        LinuxException.ThrowIfInvalid(
            LibC.open(path, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_APPEND | LibC.O_CLOEXEC, 0x180 /* 0600 */), "open", $"open the journal '{path}'"),
        path);

    /// <summary>Records a thing; call it before making the thing.</summary>
    /// <exception cref="LinuxException">The record could not be written (ENOSPC): do not make the thing.</exception>
    public void Record(AcquisitionKind kind, string value) => Append(new Acquisition { Kind = kind, Value = value });

    /// <summary>Takes a record back; call it after the thing is gone.</summary>
    public void Release(AcquisitionKind kind, string value) => Append(new Acquisition { Kind = kind, Value = value, Released = true });

    /// <summary>What is still held, newest first: the order of release. A missing journal holds nothing.</summary>
    public static IReadOnlyList<Acquisition> ReadHeld(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        var held = new List<Acquisition>();
        using FileStream stream = File.OpenRead(path);
        if (stream.Length > MaxFileBytes)
        {
            throw new InvalidDataException($"Cannot read the journal '{path}': it has {stream.Length} bytes, more than {MaxFileBytes}. Remove the pod's directory by hand");
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            if (Parse(line) is not { } entry)
            {
                continue;
            }

            if (entry.Released)
            {
                int last = held.FindLastIndex(other => other.Kind == entry.Kind && other.Value == entry.Value);
                if (last >= 0)
                {
                    held.RemoveAt(last);
                }
            }
            else
            {
                held.Add(entry);
            }
        }

        held.Reverse();
        return held;
    }

    public void Dispose() => _file.Dispose();

    private static Acquisition? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, SandboxJsonContext.Default.Acquisition);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Append(Acquisition entry)
    {
        byte[] record = JsonSerializer.SerializeToUtf8Bytes(entry, SandboxJsonContext.Default.Acquisition);
        byte[] line = _torn ? [(byte)'\n', .. record, (byte)'\n'] : [.. record, (byte)'\n'];
        _torn = true;
        string action = $"record in the journal '{_path}'";
        if (DescriptorWriter.Write(_file, line, action) != line.Length)
        {
            throw new LinuxException("write", action, Errno.ENOSPC);
        }

        _torn = false;
    }
}
