using Kata.Agent.Containers;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Specifications;

/// <summary>What the guest adds to a container's specification, or has to put differently, before crun reads it.</summary>
internal sealed class SpecAmendments(ContainerTable table, Sandbox sandbox, ProcessPreparation preparation, SpecDevices devices)
{
    /// <summary>Amends the specification in place. The container's files must be in their places.</summary>
    /// <param name="request">What the host asks for.</param>
    /// <param name="spec">The specification of it, with a process.</param>
    /// <param name="cgroup">The container's, as crun is told it.</param>
    /// <param name="cancellationToken">Nobody wants the container any more.</param>
    /// <exception cref="Grpc.Core.RpcException">The specification names what is not there.</exception>
    public async Task<SpecContext> AmendAsync(CreateContainerRequest request, Spec spec, string cgroup, CancellationToken cancellationToken)
    {
        preparation.Prepare(spec.Process, request.StringUser, request.Extension?.Process, ContainerFiles.Planned(spec));
        foreach ((string name, string value) in spec.Linux?.Sysctl ?? [])
        {
            if (NetworkSysctl.IsOne(name))
            {
                NetworkSysctl.Set(name, value);
            }
        }

        await devices.AmendAsync(spec, request.Devices, cancellationToken);
        return new SpecContext
        {
            CgroupPath = cgroup,
            SharedNamespaces = sandbox.SharedNamespaces,
            Extension = request.Extension,
            Namespaces = NamespacesOf(request.Extension),
            JoinPidNamespace = sandbox.SharesPidNamespace && (request.SandboxPidns || sandbox.SharedNamespaces.ContainsKey("pid")),
        };
    }

    // Whose namespace is joined must live: a stopped container has none.
    private Dictionary<string, string> NamespacesOf(ContainerExtension? extension)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string type, string owner) in extension?.Namespaces ?? [])
        {
            if (type != "time") // not crun's to make: see TimeNamespace
            {
                result[type] = owner.Length == 0 ? "" : PathOf(type, owner);
            }
        }

        return result;
    }

    private string PathOf(string type, string owner)
    {
        if (owner == sandbox.Id && table.All.All(item => item.Id.Value != owner))
        {
            return sandbox.SharedNamespaces.GetValueOrDefault(type) ?? throw AgentException.Invalid(
                $"Cannot join the {type} namespace of the pod: its containers do not share one");
        }

        Container container = table.Get(owner);
        return container.Init.Exited.IsCompleted
            ? throw AgentException.WrongState($"Cannot join the {type} namespace of the container '{container.Id}': it is stopped")
            : $"/proc/{container.Init.Pid}/ns/{type}";
    }
}
