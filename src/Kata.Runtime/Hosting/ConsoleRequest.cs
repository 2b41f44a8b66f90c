using Kata.Linux;
using Kata.Oci;

namespace Kata.Runtime.Hosting;

/// <summary>What terminal a process is to have.</summary>
/// <param name="Terminal">Whether it has one; the rest is only for that.</param>
/// <param name="Socket">Where to send a new one.</param>
/// <param name="Path">One that exists, to use instead.</param>
/// <param name="Size">How large a new one is at first.</param>
internal sealed record ConsoleRequest(bool Terminal, string? Socket = null, string? Path = null, TerminalSize? Size = null)
{
    public static ConsoleRequest Of(ProcessSpec? process, string? socket, string? path) => new(
        process?.Terminal ?? false,
        socket,
        path,
        process?.ConsoleSize is { Height: > 0 and <= ushort.MaxValue and var rows, Width: > 0 and <= ushort.MaxValue and var columns }
            ? new TerminalSize((ushort)rows, (ushort)columns)
            : null);
}
