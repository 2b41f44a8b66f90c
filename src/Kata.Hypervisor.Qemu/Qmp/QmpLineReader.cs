namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>Splits a stream into lines of at most <see cref="QmpMessage.MaxBytes"/>; memory grows only as bytes arrive.</summary>
internal sealed class QmpLineReader(Stream stream)
{
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>The next line without its newline, valid until the next call; null at the end of the stream.</summary>
    /// <exception cref="QmpProtocolException">The line is too long, or the stream ends inside one.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadLineAsync(CancellationToken cancellationToken)
    {
        int searched = 0;
        while (true)
        {
            int newline = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = new ReadOnlyMemory<byte>(_buffer, _start, searched + newline);
                _start += searched + newline + 1;
                return line;
            }

            searched = _end - _start;
            if (searched >= QmpMessage.MaxBytes)
            {
                throw new QmpProtocolException($"a message is longer than {QmpMessage.MaxBytes} bytes");
            }

            MakeRoom();
            int count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (count == 0)
            {
                return _start == _end ? null : throw new QmpProtocolException("the stream ended inside a message");
            }

            _end += count;
        }
    }

    private void MakeRoom()
    {
        if (_end < _buffer.Length)
        {
            return;
        }

        int length = _end - _start;
        byte[] target = length > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        _buffer.AsSpan(_start, length).CopyTo(target);
        (_buffer, _start, _end) = (target, 0, length);
    }
}
