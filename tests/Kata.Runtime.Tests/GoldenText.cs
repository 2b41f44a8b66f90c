namespace Kata.Runtime.Tests;

/// <summary>Texts that people read, kept as files. With KATA_UPDATE_GOLDEN=DIR they are written to DIR instead of compared.</summary>
internal static class GoldenText
{
    public static async Task CheckAsync(string file, string actual)
    {
        if (Environment.GetEnvironmentVariable("KATA_UPDATE_GOLDEN") is { Length: > 0 } directory)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, file), actual, TestContext.Current.CancellationToken);
            return;
        }

        Assert.Equal(await ReadAsync(file), actual);
    }

    public static Task<string> ReadAsync(string file) =>
        File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Golden", file), TestContext.Current.CancellationToken);
}
