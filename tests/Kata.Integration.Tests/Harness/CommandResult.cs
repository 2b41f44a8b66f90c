using System.Text;

namespace Kata.Integration.Tests.Harness;

/// <summary>How a command ended and what it wrote.</summary>
internal sealed record CommandResult(int ExitCode, byte[] Output, string Error)
{
    /// <summary>Standard output as text, without the line end that closes it.</summary>
    public string Text => Encoding.UTF8.GetString(Output).TrimEnd('\n');

    public string[] Lines => Text.Split('\n');

    /// <summary>The result itself when the command succeeded, else a failure that shows what it wrote.</summary>
    public CommandResult Ok()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}, standard error: {Error}, standard output: {Text}");
        return this;
    }
}
