using System.Reflection;

namespace Kata.Agent;

/// <summary>Which agent this is, as the build stamped it: <c>NUMBER+COMMIT</c>, the commit only in a stamped build.</summary>
internal static class AgentVersion
{
    /// <summary>The name under which the extension service is offered.</summary>
    public const string ExtensionFeature = "kata.agent.v1";

    /// <summary>Said in Hello: the fields of protos/kata/spec_extension.proto are carried out.</summary>
    public const string SpecFeature = "kata.agent.v1.spec";

    /// <summary>Said in Hello: WriteCgroup takes the resources too, and is all or nothing.</summary>
    public const string UpdateFeature = "kata.agent.v1.update";

    /// <summary>Said in Hello: mounts of a living container can be added and removed.</summary>
    public const string MountFeature = "kata.agent.v1.mount";

    /// <summary>Said in Hello: storages can be added and removed, and be on block devices.</summary>
    public const string StorageFeature = "kata.agent.v1.storage";

    /// <summary>Said in Hello: questions for a name server can be relayed.</summary>
    public const string NamesFeature = "kata.agent.v1.names";

    /// <summary>Said in Hello: the network can be changed with all that the kernel knows of it.</summary>
    public const string NetworkFeature = "kata.agent.v1.network";

    /// <summary>Said in Hello: connections to the guest's loopback interface can be relayed.</summary>
    public const string ConnectFeature = "kata.agent.v1.connect";

    private static readonly string[] s_parts =
        (typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0")
        .Split('+', 2);

    public static string Number => s_parts[0];

    public static string Commit => s_parts.Length > 1 ? s_parts[1] : "";
}
