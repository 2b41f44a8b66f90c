using Kata.Linux;

namespace Kata.Service;

/// <summary>
/// The environment variables of the pod's first caller. Its service has them too, for hooks that name none of their own: those get the
/// runtime's, as with runc.
/// </summary>
internal static class CallerEnvironment
{
    /// <summary>
    /// A small first generation: these processes idle for years, and what they touch once they keep (docs/adr/0003-native-aot.md).
    /// </summary>
    private const string SmallGeneration = "DOTNET_GCgen0size=0x80000"; // 512 KiB, hexadecimal as the runtime reads it

    /// <summary>What a service is started with; a stand-in, which runs nothing, without what only hooks need.</summary>
    public static List<string> ForChild(bool runsHooks)
    {
        List<string> result = Read();
        if (!runsHooks)
        {
            // The runtime's own variables come through, for diagnosis.
            result.RemoveAll(
                static item =>
                    !item.StartsWith("PATH=", StringComparison.Ordinal) && !item.StartsWith("DOTNET_", StringComparison.Ordinal));
        }

        if (!result.Exists(static item => item.StartsWith("DOTNET_GCgen0size=", StringComparison.Ordinal)))
        {
            result.Add(SmallGeneration);
        }

        return result;
    }

    /// <summary>As <c>NAME=value</c>, without what <see cref="ForChild"/> added.</summary>
    public static List<string> Read()
    {
        List<string> result = EnvironmentVariables.Read();
        result.Remove(SmallGeneration);
        return result;
    }
}
