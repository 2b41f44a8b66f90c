using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Runtime.Cni;
using Kata.Runtime.Shim;

namespace Kata.Runtime;

/// <summary>The host's one executable: the command line, and under other names containerd's shim and a network plugin.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        StandardOutput.BecomeTheConsole();
        try
        {
            ClosedStreams.Replace();
        }
        catch (LinuxException error)
        {
            await Console.Error.WriteLineAsync($"kata-runtime: {error.Message}"); // should there be somebody to read it
            return ExitCodes.Failure;
        }

        // Whatever our caller left open must reach neither a service, which lives on, nor a stand-in, nor a VMM. (The .NET runtime's
        // own descriptors are close-on-exec already.) It cannot fail in a way that could be told better than by going on.
        _ = LibC.close_range(3, uint.MaxValue, LibC.CLOSE_RANGE_CLOEXEC);
        string? name = Environment.GetCommandLineArgs() is [string called, ..] ? called : null;
        return ShimProgram.IsCalled(name) ? await ShimProgram.RunAsync(arguments)
            : CniProgram.IsCalled(name) ? await CniProgram.RunAsync()
            : await CommandLine.RunAsync(arguments);
    }
}
