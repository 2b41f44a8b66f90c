using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Runtime.Shim;

namespace Kata.Runtime;

/// <summary>The host's one executable: the command line, and under its second name containerd's shim.</summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments)
    {
        // Whatever our caller left open must reach neither a service, which lives on, nor a stand-in, nor a VMM. (The .NET runtime's
        // own descriptors are close-on-exec already.) It cannot fail in a way that could be told better than by going on.
        _ = LibC.close_range(3, uint.MaxValue, LibC.CLOSE_RANGE_CLOEXEC);
        StandardOutput.BecomeTheConsole();
        return ShimProgram.IsCalled(Environment.GetCommandLineArgs() is [string name, ..] ? name : null) ? ShimProgram.RunAsync(arguments) : CommandLine.RunAsync(arguments);
    }
}
