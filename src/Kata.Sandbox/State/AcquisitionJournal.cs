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
/// One JSON object (<see cref="JournalLine"/>) a line, appended by a single write(2). The file lies on a tmpfs and must survive our death,
/// not the machine's, so nothing is synced. A torn line (the disk was full) never belonged to a thing that was made: skipped; the next
/// record begins on a line of its own. Mounts are absent on purpose: they exist only in the service's private mount namespace and die with
/// its last process. What is taken back stays in the file as two lines until the file has grown; then it is replaced, by rename(2), by one
/// that holds only what is held, in the same order. Whoever reads it at any instant finds either, and both say the same.
/// </remarks>
internal sealed class AcquisitionJournal : IDisposable
{
    private const int MaxFileBytes = 16 * 1024 * 1024;

    /// <summary>
    /// Some hundreds of lines: a pod holds about ten things, and one more for each process that has a stand-in of its own.
    /// </summary>
    private const long CompactBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private string _path; // guarded by _gate
    private SafeFileDescriptor _file; // guarded by _gate
    private bool _torn; // the file may end within a line; guarded by _gate
    private long _size; // guarded by _gate
    private long _compactAt = CompactBytes; // guarded by _gate

    private AcquisitionJournal(SafeFileDescriptor file, string path)
    {
        (_file, _path) = (file, path);
        _size = (long)FileStatus.Of(file).Size;
        _torn = _size > 0;
    }

    /// <summary>Opens the journal for appending, creating it when it is missing.</summary>
    public static AcquisitionJournal Open(string path) => new(OpenFile(path, 0), path);

    /// <summary>Records a thing; call it before making the thing.</summary>
    /// <exception cref="LinuxException">The record could not be written (ENOSPC): do not make the thing.</exception>
    public void Record(Acquisition thing)
    {
        lock (_gate)
        {
            Append(LineOf(thing, released: false));
        }
    }

    /// <summary>Takes a record back; call it after the thing is gone.</summary>
    /// <exception cref="LinuxException">
    /// It could not be written: the thing still counts as held, and releasing it again does no harm.
    /// </exception>
    public void Release(Acquisition thing)
    {
        lock (_gate)
        {
            Append(LineOf(thing, released: true));
            if (_size > _compactAt)
            {
                Compact();
            }
        }
    }

    /// <summary>Says where the file is found from now on. Its directory was renamed.</summary>
    public void MoveTo(string path)
    {
        lock (_gate)
        {
            _path = path;
        }
    }

    /// <summary>What is still held, newest first: the order of release. A missing journal holds nothing.</summary>
    public static IReadOnlyList<Acquisition> ReadHeld(string path)
    {
        FileStream file;
        try
        {
            file = File.OpenRead(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }

        var held = new List<Acquisition>();
        using FileStream stream = file;
        if (stream.Length > MaxFileBytes)
        {
            throw new InvalidDataException(
                $"Cannot read the journal '{path}': it has {stream.Length} bytes, more than {MaxFileBytes}. "
                    + "Remove the pod's directory by hand");
        }

        // Two odd bytes must not make the rest unreadable.
        using var reader = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false);
        while (reader.ReadLine() is { } line)
        {
            if (Parse(line) is not { } entry)
            {
                continue;
            }

            var thing = Acquisition.Of(entry.Kind, entry.Value);
            if (!entry.Released)
            {
                held.Add(thing);
            }
            else if (held.LastIndexOf(thing) is >= 0 and var last)
            {
                held.RemoveAt(last);
            }
        }

        held.Reverse();
        return held;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file.Dispose();
        }
    }

    private static SafeFileDescriptor OpenFile(string path, int flags) => LinuxException.ThrowIfInvalid(
        LibC.open(path, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_APPEND | LibC.O_CLOEXEC | flags, FileModes.Private),
        "open", $"open the journal '{path}'");

    private static JournalLine? Parse(string line)
    {
        try
        {
            // A reader takes null for a required text.
            return JsonSerializer.Deserialize(line, SandboxJsonContext.Default.JournalLine) is { Kind: not null, Value: not null } entry
                ? entry : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Append(byte[] record)
    {
        byte[] line = _torn ? [(byte)'\n', .. record] : record;
        _torn = true;
        WriteWhole(_file, line);
        _torn = false;
        _size += line.Length;
    }

    // Best effort: the longer file says the same, and the next attempt waits until it has doubled.
    private void Compact()
    {
        string temporary = _path + ".new";
        try
        {
            byte[] held = [.. ReadHeld(_path).Reverse().SelectMany(static thing => LineOf(thing, released: false))];
            SafeFileDescriptor file = OpenFile(temporary, LibC.O_TRUNC);
            try
            {
                if (held.Length > 0)
                {
                    WriteWhole(file, held);
                }

                File.Move(temporary, _path, overwrite: true);
            }
            catch
            {
                file.Dispose();
                throw;
            }

            _file.Dispose();
            (_file, _size) = (file, held.Length);
            _compactAt = Math.Max(CompactBytes, held.Length * 2L);
        }
        catch (Exception error) when (error is LinuxException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            _compactAt = _size * 2;
        }
    }

    private static byte[] LineOf(Acquisition thing, bool released)
    {
        var line = new JournalLine { Kind = thing.Kind, Value = thing.Value, Released = released };
        return [.. JsonSerializer.SerializeToUtf8Bytes(line, SandboxJsonContext.Default.JournalLine), (byte)'\n'];
    }

    private void WriteWhole(SafeFileDescriptor file, byte[] data)
    {
        string action = $"record in the journal '{_path}'";
        if (DescriptorWriter.Write(file, data, action) != data.Length)
        {
            throw new LinuxException("write", action, Errno.ENOSPC);
        }
    }
}
