using System.Diagnostics;

namespace Kata.Linux.Tests.Native;

/// <summary>
/// A C compiler with the kernel's and the C library's headers of one architecture. What it is asked are static assertions: nothing
/// is run, so arm64 is asked on any machine.
/// </summary>
internal static class CCompiler
{
    public const string X64 = "x86_64-linux-gnu-gcc";
    public const string Arm64 = "aarch64-linux-gnu-gcc";

    public static TheoryData<string> All => [X64, Arm64];

    /// <summary>Skips the test where the compiler is missing.</summary>
    /// <returns>What the compiler says against the text; empty when everything in it holds.</returns>
    public static async Task<string> CompileAsync(string compiler, string text)
    {
        string package = compiler == X64 ? "gcc libc6-dev" : "gcc-aarch64-linux-gnu libc6-dev-arm64-cross";
        Assert.SkipUnless(File.Exists($"/usr/bin/{compiler}"), $"needs {compiler} (Debian: apt-get install {package})");
        string[] arguments = ["-std=gnu11", "-fsyntax-only", "-Werror", "-x", "c", "-"];
        using var process = Process.Start(new ProcessStartInfo($"/usr/bin/{compiler}", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" }, // else it quotes what it names in the language's own way
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(text);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode == 0 ? "" : await error;
    }
}
