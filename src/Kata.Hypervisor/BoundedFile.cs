using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Hypervisor;

/// <summary>
/// The end of a byte stream in a file: when it is half full it becomes <c>NAME.1</c> and a new one begins. Nothing here
/// throws for a disk that is full; the file is then given up.
/// </summary>
internal sealed class BoundedFile(string path, int limitBytes) : IDisposable
{
    private readonly int _half = limitBytes / 2;
    private FileStream? _stream;
    private int _length;
    private bool _failed;

    public void Write(ReadOnlySpan<byte> data)
    {
        try
        {
            while (!data.IsEmpty && !_failed)
            {
                if (_stream is null || _length >= _half)
                {
                    Begin();
                }

                ReadOnlySpan<byte> part = data[..Math.Min(data.Length, _half - _length)];
                _stream!.Write(part);
                _length += part.Length;
                data = data[part.Length..];
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or LinuxException)
        {
            _failed = true;
        }
    }

    public void Dispose() => _stream?.Dispose();

    private void Begin()
    {
        if (_stream is not null)
        {
            _stream.Dispose();
            File.Move(path, path + ".1", overwrite: true);
        }

        SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
            LibC.open(path, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_TRUNC | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, FileModes.Private),
            "open", $"open '{path}'");
        _stream = new FileStream(file.ToFileHandle(), FileAccess.Write, bufferSize: 0); // a reader of the file sees every byte at once
        _length = 0;
    }
}
