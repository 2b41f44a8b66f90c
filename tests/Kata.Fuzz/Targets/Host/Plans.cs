using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Fuzz.Targets;

/// <summary>From a caller's document to what the guest is told. Whatever is wrong is refused by then.</summary>
internal sealed class Plans
{
    private const string Minimal =
        """{"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"cwd":"/","args":["true"],"user":{"uid":0,"gid":0}}}""";

    private static readonly SandboxId s_pod = SandboxId.Parse("pod");
    private static readonly KataConfiguration s_configuration =
        Configurations.LoadFrom("[hypervisor.qemu]\nenable_annotations = [\".*\"]\n"u8.ToArray());
    private static readonly AcceleratorChoice s_host = new(Accelerator.Tcg, AgentTransport.VirtioSerial, "", null);

    private readonly Bundle _bundle;

    public Plans()
    {
        string directory = Scratch.NewDirectory("plan");
        Directory.CreateDirectory(Path.Combine(directory, "rootfs"));
        File.WriteAllText(Path.Combine(directory, Bundle.ConfigFileName), Minimal);
        _bundle = Bundle.Load(directory);
    }

    /// <summary>A whole specification. What the agent makes of the plan is one too.</summary>
    public void Plan(byte[] input)
    {
        RuntimeSpec spec = OciJson.ParseSpec(input);
        _ = SpecValidator.Validate(spec);
        KataConfiguration configuration = ConfigurationAnnotations.Apply(s_configuration, spec.Annotations);
        try
        {
            _ = SandboxPlanner.Plan(s_pod, configuration, s_host, spec, "/kata/pod");
        }
        catch (ConfigurationException)
        {
            return; // an annotation asks for what there is no driver for
        }

        ContainerPlan plan = ContainerPlanner.Plan(
            ContainerId.Parse("c"), _bundle.WithSpec(spec), guestSeccomp: true, new FixedHost(),
            static space => space.Path is "/proc/7/ns/ipc" ? ContainerId.Parse("other") : null,
            SharedMemory.Of(_bundle.WithSpec(spec), new FixedHost()), notifyPath: "/run/notify");
        AgentSpecs.Check(plan.GuestSpec, plan.Extension);
    }

    /// <summary>A change of limits, of a container without any and of one that has some.</summary>
    public static void Update(byte[] input)
    {
        LinuxResources change = OciJson.ParseResources(input);
        OciDocuments.CheckRoundTrip(OciJson.Write(change), static written => OciJson.Write(OciJson.ParseResources(written)));
        var machine = new MachineSize(2, 2L << 30);
        ResourceUpdate first = ResourceUpdate.Plan(new LinuxResources(), change, machine);
        _ = ResourceUpdate.Plan(first.Effective, new LinuxResources { Memory = new LinuxMemory { Limit = 64 << 20 } }, machine);
    }

    /// <summary>What containerd's CRI service asks of a pod without a container of its own, and then a container in it.</summary>
    public static void Sandbox(byte[] input)
    {
        PodSettings settings = CriPodSettings.Read(
            s_pod, new Any { TypeUrl = CriPodSettings.TypeUrl, Value = ByteString.CopyFrom(input) }, new Dictionary<string, string>());
        Finding.Unless(
            settings.Annotations.Keys.All(static key => key.StartsWith("io.katacontainers.", StringComparison.Ordinal)),
            "an engine's annotation came through");
        RuntimeSpec spec = settings.ToSpec();
        try
        {
            _ = SandboxPlanner.Plan(s_pod, ConfigurationAnnotations.Apply(s_configuration, spec.Annotations), s_host, spec, "/kata/pod");
        }
        catch (ConfigurationException)
        {
            return;
        }

        _ = settings.Files("/run/pod", "host", "127.0.0.1 localhost\n", "nameserver 192.0.2.1\n");
        RuntimeSpec container = settings.Complete(OciJson.ParseSpec(Encoding.UTF8.GetBytes(Minimal)), "/run/pod");
        OciDocuments.CheckRoundTrip(OciJson.Write(container), static written => OciJson.Write(OciJson.ParseSpec(written)));
    }
}
