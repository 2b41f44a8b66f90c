using Kata.Oci;

namespace Kata.Sandbox.Tests;

/// <summary>A pod and its containers by the documents of CRI-O: files hold their namespaces.</summary>
public sealed class PodNamespacesTests : IDisposable
{
    private const int Service = 5; // stands for the pod's own container, as with the shim
    private const ulong HostPid = 1, PodIpc = 10;

    private readonly Kata.Testing.TemporaryDirectory _directory = new();
    private readonly FakeHostFiles _files = new();
    private readonly List<PodNamespaces.Holder> _containers = [];

    public PodNamespacesTests()
    {
        _files.Numbers["/run/ipcns/u"] = _files.Numbers["/run/again"] = PodIpc;
        _files.Numbers["/run/ipcns/other"] = 11;
        Add(
            "pod", Service, HostPid,
            """{ "type": "ipc", "path": "/run/ipcns/u" }, { "type": "uts", "path": "/run/utsns/gone" }, { "type": "pid" }""", "sandbox");
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("ipc", "/run/ipcns/u", "pod")]
    [InlineData("ipc", "/run/again", "pod")] // the same by another name
    [InlineData("uts", "/run/utsns/gone", "pod")] // the same name, whatever is there
    [InlineData("uts", "/run/ipcns/u", null)]
    [InlineData("ipc", "/run/ipcns/other", null)]
    [InlineData("ipc", "/nowhere", null)]
    [InlineData("ipc", "/proc/5/ns/ipc", "pod")]
    [InlineData("pid", "/proc/5/ns/pid_for_children", "pod")]
    [InlineData("ipc", "/proc/6/ns/ipc", null)]
    [InlineData("ipc", "/proc/5/ns/uts", null)]
    [InlineData("ipc", "/proc/self/ns/ipc", null)]
    public void OwnerOf_Path_IsThePodsOrNobodys(string type, string path, string? owner) => Assert.Equal(owner, OwnerOf(type, path));

    [Fact]
    public void OwnerOf_ProcessesHeldByAFile_AreOfTheContainerWhoseProcessHasThem()
    {
        Add("a", 20, 120, """{ "type": "pid" }""");
        Add("b", 21, 121, """{ "type": "pid" }""");
        _files.Numbers["/run/pidns/pidns1"] = 121;
        _files.Numbers["/run/pidns/pidns2"] = 122;

        Assert.Equal("b", OwnerOf("pid", "/run/pidns/pidns1"));
        Assert.Null(OwnerOf("pid", "/run/pidns/pidns2"));
        Assert.Null(OwnerOf("ipc", "/run/pidns/pidns1"));
    }

    /// <summary>By the shim threads stand for the containers: every one is in the service's own pid namespace.</summary>
    [Fact]
    public void OwnerOf_ProcessesWhereThreadsStandForContainers_AreTheOnlyOnesOrRefused()
    {
        _files.Numbers["/run/pidns/pidns1"] = HostPid;
        Assert.Equal("pod", OwnerOf("pid", "/run/pidns/pidns1"));
        Add("a", 20, HostPid, """{ "type": "pid" }""");
        Assert.Equal("a", OwnerOf("pid", "/run/pidns/pidns1"));
        Add("debugger", 21, HostPid, """{ "type": "pid", "path": "/proc/20/ns/pid" }""");
        Assert.Equal("a", OwnerOf("pid", "/run/pidns/pidns1"));
        Add("b", 22, HostPid, "");

        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => OwnerOf("pid", "/run/pidns/pidns1"));
        Assert.Contains("'a' or 'b'", error.Message, StringComparison.Ordinal);
        Assert.Contains("runtime_type", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 7, null)] // no namespaces at all
    [InlineData("", 7, null)] // the host's network
    [InlineData("""{ "type": "ipc", "path": "/run/ipcns/u" }""", 7, null)]
    [InlineData("""{ "type": "network", "path": "/run/netns/a" }""", 7, "/run/netns/a")]
    [InlineData("""{ "type": "network", "path": "/run/netns/a" }""", null, "/run/netns/a")]
    [InlineData("""{ "type": "network", "path": "/proc/12/ns/net" }, { "type": "uts" }""", 7, "/proc/12/ns/net")]
    [InlineData("""{ "type": "network" }""", 7, "/proc/7/ns/net")]
    [InlineData("""{ "type": "pid" }, { "type": "network", "path": "" }""", 7, "/proc/7/ns/net")]
    [InlineData("""{ "type": "network" }""", null, null)]
    public void NetworkOf_Specification_IsTheNamedOrThatOfTheStandIn(string? namespaces, int? standIn, string? path)
    {
        string linux = namespaces is null ? "" : $$""", "linux": {"namespaces": [{{namespaces}}]}""";
        File.WriteAllText(
            _directory.File("config.json"),
            $$"""{"ociVersion":"1.2.1","process":{"cwd":"/","args":["x"]},"root":{"path":"/"}{{linux}}}""");
        Assert.Equal(path, PodNamespaces.NetworkOf(Bundle.Load(_directory.Path).Spec, standIn));
    }

    private string? OwnerOf(string type, string path) =>
        new PodNamespaces(SandboxId.Parse("pod"), Service, _containers, _files)
            .OwnerOf(new LinuxNamespace { Type = type, Path = path })?.Value;

    private void Add(string id, int process, ulong pidNamespace, string namespaces, string kind = "container")
    {
        _files.Numbers[$"/proc/{process}/ns/pid"] = pidNamespace;
        File.WriteAllText(_directory.File("config.json"), $$"""
            {"ociVersion":"1.2.1","process":{"cwd":"/","args":["x"]},"root":{"path":"/"},"linux":{"namespaces":[{{namespaces}}]},
             "annotations":{"io.kubernetes.cri-o.ContainerType":"{{kind}}","io.kubernetes.cri-o.SandboxID":"pod"} }
            """);
        _files.Numbers.TryAdd("/run/utsns/gone", 12);
        ContainerPlan plan = ContainerPlanner.Plan(
            ContainerId.Parse(id), Bundle.Load(_directory.Path), guestSeccomp: true, _files,
            new PodNamespaces(SandboxId.Parse("pod"), Service, _containers, _files).OwnerOf);
        _files.Numbers.Remove("/run/utsns/gone");
        _containers.Add(new PodNamespaces.Holder(plan, process));
    }

    private sealed class FakeHostFiles : IHostFiles
    {
        public Dictionary<string, ulong> Numbers { get; } = new(StringComparer.Ordinal);

        public string HostName => "host.example";

        public HostFileKind KindOf(string path) => HostFileKind.Directory;

        public long? TmpfsSize(string path) => null;

        public ulong? NamespaceAt(string path) => Numbers.TryGetValue(path, out ulong number) ? number : null;
    }
}
