namespace Kata.Runtime;

/// <summary>The host's one executable.</summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments) => CommandLine.RunAsync(arguments);
}
