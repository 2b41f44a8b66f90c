namespace Kata.Oci.Tests;

internal static class GoldenFile
{
    internal static byte[] Read(string name) =>
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", name));
}
