using System.Text.Json.Nodes;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Sandbox;

namespace Kata.Runtime.Tests;

public sealed class FeaturesCommandTests
{
    private static readonly JsonObject s_features = JsonNode.Parse(FeaturesCommand.Write())!.AsObject();

    [Fact]
    public void Write_HasTheMembersOfTheSpecification() => Assert.Equal(
        ["ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations"],
        s_features.Select(static member => member.Key));

    [Fact]
    public void Write_LinuxMembers_AreThoseOfTheSpecification() => Assert.Equal(
        ["namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "mountExtensions"],
        s_features["linux"]!.AsObject().Select(static member => member.Key));

    [Fact]
    public void Lists_AreInOrderAndWithoutDuplicates()
    {
        IReadOnlyList<string>[] lists =
        [
            SupportedFeatures.MountOptions, SupportedFeatures.Namespaces, SupportedFeatures.SeccompActions,
            SupportedFeatures.SeccompArchitectures, SupportedFeatures.SeccompFlags, SupportedFeatures.SeccompOperators,
        ];
        foreach (IReadOnlyList<string> list in lists)
        {
            Assert.Equal(list.Order(StringComparer.Ordinal).Distinct(), list);
        }
    }

    [Fact]
    public void Namespaces_AreWhatTheGuestIsAskedFor()
    {
        string[] types = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"];
        var spec = new RuntimeSpec
        {
            OciVersion = "1.0.2",
            Linux = new LinuxSpec { Namespaces = [.. types.Select(static type => new LinuxNamespace { Type = type })] },
        };
        IEnumerable<string> asked =
            GuestSpecBuilder.Build(ContainerId.Parse("c"), spec, true, "host", []).Linux.Namespaces.Select(static item => item.Type);
        // The network namespace is the machine itself, and the time namespace the agent's to make.
        Assert.Equal(
            s_features["linux"]!["namespaces"]!.AsArray().Select(static item => item!.GetValue<string>()),
            asked.Concat(["network", "time"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Hooks_AreThoseOfTheHostAndTheGuests()
    {
        IEnumerable<string> ofTheHost = Enum.GetNames<HookPoint>().Select(static name => char.ToLowerInvariant(name[0]) + name[1..]);
        Assert.Equal(
            ofTheHost.Append("startContainer").Order(StringComparer.Ordinal),
            s_features["hooks"]!.AsArray().Select(static item => item!.GetValue<string>()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Versions_AreThoseThatTheValidatorTakes()
    {
        foreach (string member in (string[])["ociVersionMin", "ociVersionMax"])
        {
            SpecValidator.Validate(new RuntimeSpec
            {
                OciVersion = s_features[member]!.GetValue<string>(),
                Root = new RootSpec { Path = "/" },
                Process = new ProcessSpec { Args = ["x"], Cwd = "/" },
            });
        }
    }
}
