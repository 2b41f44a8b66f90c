using Kata.Agent.Protocol.Extension;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class GuestExtensionBuilderTests
{
    [Fact]
    public void Container_EveryField_IsCarried()
    {
        ContainerExtension extension = Build(
            """
            {
              "ociVersion": "1.2.0", "domainname": "example", "root": { "path": "r" },
              "process": { "cwd": "/", "args": ["x"], "user": { "umask": 0 },
                "scheduler": { "policy": "SCHED_BATCH", "nice": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"] },
                "ioPriority": { "class": "IOPRIO_CLASS_BE", "priority": 3 } },
              "linux": {
                "namespaces": [
                  { "type": "uts" }, { "type": "network", "path": "/run/netns/x" }, { "type": "pid", "path": "/proc/77/ns/pid" }
                ],
                "personality": { "domain": "LINUX32" },
                "seccomp": { "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 0 },
                "resources": { "cpu": { "burst": 100, "idle": 1 }, "unified": { "memory.high": "1000" } }
              }
            }
            """);

        Assert.Equal(
            ("/bundle", "example", true, 0u),
            (extension.Bundle, extension.Domainname, extension.Process.HasUmask, extension.Process.Umask));
        Assert.Equal(("SCHED_BATCH", 5), (extension.Process.Scheduler.Policy, extension.Process.Scheduler.Nice));
        Assert.Equal(("IOPRIO_CLASS_BE", 3), (extension.Process.IoPriority.Class, extension.Process.IoPriority.Priority));
        Assert.Equal("LINUX32", extension.Personality.Domain);
        Assert.True(extension.HasSeccompDefaultErrno);
        Assert.Equal(
            "cpu.idle=1 cpu.max.burst=100 memory.high=1000",
            string.Join(' ', extension.Unified.OrderBy(static item => item.Key, StringComparer.Ordinal)
                .Select(static item => $"{item.Key}={item.Value}")));
        Assert.Equal(
            "cgroup= pid=first uts=",
            string.Join(' ', extension.Namespaces.OrderBy(static item => item.Key, StringComparer.Ordinal)
                .Select(static item => $"{item.Key}={item.Value}")));
    }

    [Theory]
    [InlineData("ipc", "/proc/77/ns/ipc", true)]
    [InlineData("user", "/proc/77/ns/user", true)]
    [InlineData("pid", "/proc/77/ns/pid_for_children", true)]
    [InlineData("ipc", "/proc/78/ns/ipc", false)]
    [InlineData("ipc", "/proc/77/ns/uts", false)]
    [InlineData("ipc", "/proc/self/ns/ipc", false)]
    [InlineData("ipc", "/run/ns/x", false)]
    [InlineData("mount", "/proc/77/ns/mnt", false)]
    public void Container_NamespaceByPath_OnlyOfTheSamePod(string type, string path, bool joins)
    {
        string spec = $$"""{ "ociVersion": "1.0.2", "linux": { "namespaces": [{ "type": "{{type}}", "path": "{{path}}" }] } }""";
        if (joins)
        {
            Assert.Equal("first", Build(spec).Namespaces[type]);
        }
        else
        {
            Assert.Equal("/linux/namespaces/0/path", Assert.Throws<InvalidSpecException>(() => Build(spec)).Field);
        }
    }

    [Theory]
    [InlineData(
        """{ "ociVersion": "1.0.2", "linux": { "namespaces": [{ "type": "pid" }, { "type": "ipc", "path": "/proc/77/ns/ipc" }] } }""",
        null)]
    [InlineData(
        """{ "ociVersion": "1.0.2", "linux": { "namespaces": [{ "type": "pid", "path": "/proc/77/ns/pid" }] } }""", "/linux/namespaces")]
    [InlineData("""{ "ociVersion": "1.0.2", "domainname": "x" }""", "/domainname")]
    [InlineData("""{ "ociVersion": "1.0.2", "process": { "cwd": "/", "user": { "umask": 18 } } }""", "/process/user/umask")]
    public void NeedOf_Field_IsNamed(string spec, string? need) => Assert.Equal(need, GuestExtensionBuilder.NeedOf(Build(spec)));

    private static ContainerExtension Build(string spec) => GuestExtensionBuilder.Container(
        OciJson.ParseSpec(System.Text.Encoding.UTF8.GetBytes(spec)), "/bundle",
        static space => PodNamespaces.ProcessOf(space) == 77 ? ContainerId.Parse("first") : null);
}
