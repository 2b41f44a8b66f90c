namespace Kata.Netlink.Tests;

/// <summary>
/// Messages as the kernel, <c>ip</c> or <c>tc</c> sent them, in Golden/NAME.txt: what they mean in lines that begin with <c>#</c>, and
/// their bytes as hexadecimal digits.
/// </summary>
internal static class Golden
{
    public static IEnumerable<string> Names =>
        Directory.GetFiles(Folder, "*.txt").Select(static file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal);

    private static string Folder { get; } = Path.Combine(Repository.Root, "tests/Kata.Netlink.Tests/Golden");

    public static byte[] Bytes(string name) => Convert.FromHexString(string.Concat(
        File.ReadLines(Path.Combine(Folder, $"{name}.txt")).Where(static line => !line.StartsWith('#'))));

    /// <summary>The one record of the message.</summary>
    public static T Read<T>(string name) => Assert.IsAssignableFrom<T>(Assert.Single(NetlinkMessages.Read(Bytes(name))));
}
