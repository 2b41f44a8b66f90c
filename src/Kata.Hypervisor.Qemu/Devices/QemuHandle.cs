using System.Globalization;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// Under which names QEMU finds a descriptor: the number it inherited, or what the control channel called it when it was passed later.
/// </summary>
/// <param name="Name">For options that name a descriptor: its number, or the name given by <c>getfd</c>.</param>
/// <param name="Set">For options that name a file: <c>/dev/fdset/SET</c>, made by <c>add-fd</c>.</param>
internal readonly record struct QemuHandle(string Name, int Set)
{
    /// <summary>Sets of descriptors that are passed later have numbers from here on: no inherited descriptor reaches so far.</summary>
    public const int FirstPassedSet = 4096;

    /// <summary>A descriptor that QEMU is born with.</summary>
    public static QemuHandle Inherited(int number) => new(number.ToString(CultureInfo.InvariantCulture), number);
}
