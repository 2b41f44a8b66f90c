using Kata.Configuration;
using Kata.Hypervisor.Qemu.Qmp;
using Kata.Netlink;
using Kata.Netlink.Tests;
using Kata.Oci;
using Kata.Runtime.Cni;

namespace Kata.Fuzz.Targets;

/// <summary>Every target, made when it is asked for.</summary>
internal static class FuzzTargets
{
    private static readonly Dictionary<string, Func<string, IFuzzTarget>> s_targets = new(StringComparer.Ordinal)
    {
        // what a guest, or a container in it, sends to the host
        ["ttrpc-frame"] = static _ => new TtRpcFrameTarget(),
        ["ttrpc-client"] = static _ => new TtRpcClientTarget(),
        ["stdio-host"] = static _ => new HostStdioTarget(),
        ["qmp"] = static name => new ParserTarget<QmpProtocolException>(name, static input => QmpMessage.Parse(input)),
        ["qmp-connection"] = static _ => new QmpConnectionTarget(),
        ["guest-text"] = GuestTexts.Create,
        ["guest-answers"] = GuestAnswers.Create,

        // what a host, or a container, gives the agent
        ["ttrpc-server"] = static _ => new TtRpcServerTarget(),
        ["stdio-agent"] = static _ => new AgentStdioTarget(),
        ["agent-files"] = AgentFiles.Create,
        ["agent-spec"] = static name => new ParserTarget<Google.Protobuf.InvalidProtocolBufferException>(name, AgentSpecs.Write),

        // what a caller gives the runtime, and what it finds on the host
        ["oci-spec"] = static name => new ParserTarget<InvalidSpecException>(name, OciDocuments.ParseSpec),
        ["oci-process"] = static name => new ParserTarget<InvalidSpecException>(name, OciDocuments.ParseProcess),
        ["plan"] = static name => new ParserTarget<InvalidSpecException>(name, new Plans().Plan),
        ["update"] = static name => new ParserTarget<InvalidSpecException>(name, Plans.Update),
        ["cri-sandbox"] = static name => new ParserTarget<InvalidSpecException>(name, Plans.Sandbox),
        ["configuration"] = static name => new ParserTarget<ConfigurationException>(name, Configurations.Load),
        ["annotations"] = static name => new ParserTarget<InvalidSpecException>(name, new Configurations().Annotate),
        ["allow-pattern"] = static name => new ParserTarget<ConfigurationException>(name, Configurations.MatchPattern),
        ["containerd-config"] = static name => new ParserTarget<ArgumentException>(name, ContainerdFiles.Install),
        ["network-file"] = static name => new ParserTarget<ArgumentException>(name, NetworkFiles.Read),
        ["cni-config"] = static name => new ParserTarget<CniException>(name, CniDocuments.Read),
        ["direct-network"] = static name => new ParserTarget<InvalidSpecException>(name, DirectNetworks.Read),
        ["stand-in"] = static _ => new StandInTarget(),
        ["journal"] = static name => new ParserTarget<InvalidDataException>(name, new StateFiles(name).Journal),
        ["state"] = static name => new ParserTarget<InvalidDataException>(name, new StateFiles(name).State),
        ["log-record"] = static name => new ChoiceTarget(name, new LogRecords().Write),
        ["host-text"] = HostTexts.Create,
        ["netlink"] = static name => new ParserTarget<NetlinkProtocolException>(name, static input => NetlinkMessages.Read(input)),
    };

    public static IEnumerable<string> Names => s_targets.Keys.Order(StringComparer.Ordinal);

    public static IFuzzTarget? Find(string name) => name == Canary.TargetName ? new Canary()
        : s_targets.TryGetValue(name, out Func<string, IFuzzTarget>? make) ? make(name) : null;
}
