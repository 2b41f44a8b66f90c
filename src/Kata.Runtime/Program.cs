using Kata.Linux.Interop;

namespace Kata.Runtime;

/// <summary>The host's one executable.</summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments)
    {
        // Whatever our caller left open must reach neither a service, which lives on, nor a stand-in, nor a VMM. (The .NET runtime's
        // own descriptors are close-on-exec already.) It cannot fail in a way that could be told better than by going on.
        _ = LibC.close_range(3, uint.MaxValue, LibC.CLOSE_RANGE_CLOEXEC);
        return CommandLine.RunAsync(arguments);
    }
}
