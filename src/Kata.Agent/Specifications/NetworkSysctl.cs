using Kata.Agent.Network;

namespace Kata.Agent.Specifications;

/// <summary>
/// The <c>net.*</c> settings of a specification: they are the guest's, whose network namespace the containers use. Others are crun's.
/// </summary>
internal static class NetworkSysctl
{
    public static bool IsOne(string name) =>
        name.StartsWith("net.", StringComparison.Ordinal) || name.StartsWith("net/", StringComparison.Ordinal);

    /// <summary>Sets one on the guest.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: there is no such setting, or the kernel refuses the value.</exception>
    public static void Set(string name, string value)
    {
        // As sysctl(8): with dots for separators a slash is a dot in the name, as in an interface's.
        bool slashes = name.StartsWith("net/", StringComparison.Ordinal);
        string path = slashes ? name : string.Concat(name.Select(static c => c == '.' ? '/' : c == '/' ? '.' : c));
        if (path.Split('/').Any(static word => word is "" or "." or ".."))
        {
            throw AgentException.Invalid($"Cannot set the sysctl '{name}': it is not a plain name");
        }

        NetworkModules.PrepareFor(path);
        try
        {
            File.WriteAllText("/proc/sys/" + path, value);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw AgentException.Invalid(
                $"Cannot set the sysctl '{name}' to '{value}': the guest's kernel refused: {ErrorText.CauseOf(error)}");
        }
    }
}
