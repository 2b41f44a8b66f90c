namespace Kata.Oci.Tests;

public sealed class PodAnnotationsTests
{
    [Theory]
    [InlineData("io.kubernetes.cri.container-type=sandbox io.kubernetes.cri.sandbox-id=s", PodKind.PodSandbox, "s")]
    [InlineData("io.kubernetes.cri.container-type=sandbox", PodKind.PodSandbox, null)]
    [InlineData("io.kubernetes.cri.container-type=container io.kubernetes.cri.sandbox-id=s", PodKind.PodContainer, "s")]
    [InlineData("io.kubernetes.cri-o.ContainerType=sandbox io.kubernetes.cri-o.SandboxID=s", PodKind.PodSandbox, "s")]
    [InlineData("io.kubernetes.cri-o.ContainerType=container io.kubernetes.cri-o.SandboxID=s", PodKind.PodContainer, "s")]
    [InlineData("io.kubernetes.docker.type=podsandbox", PodKind.PodSandbox, null)]
    [InlineData("io.kubernetes.docker.type=container io.kubernetes.sandbox.id=s", PodKind.PodContainer, "s")]
    [InlineData("io.kubernetes.cri.container-type=sandbox io.kubernetes.cri-o.ContainerType=container", PodKind.PodSandbox, null)]
    [InlineData("io.container.manager=libpod io.kubernetes.cri-o.SandboxID=s", PodKind.PodContainer, "s")]
    [InlineData("unrelated=1", PodKind.SinglePod, null)]
    [InlineData("", PodKind.SinglePod, null)]
    public void Identify_KnownManagers_GivesKindAndSandbox(string annotations, PodKind kind, string? sandbox)
    {
        PodIdentity identity = PodAnnotations.Identify(Parse(annotations));

        Assert.Equal((kind, sandbox), (identity.Kind, identity.SandboxId?.Value));
    }

    [Fact]
    public void Identify_NoAnnotations_IsSinglePod() => Assert.Equal(PodKind.SinglePod, PodAnnotations.Identify(null).Kind);

    [Theory]
    [InlineData("io.kubernetes.cri.container-type=container", "/annotations/io.kubernetes.cri.sandbox-id", "is missing")]
    [InlineData("io.kubernetes.cri.container-type=pod", "/annotations/io.kubernetes.cri.container-type", "holds 'pod'")]
    [InlineData("io.kubernetes.docker.type=sandbox", "/annotations/io.kubernetes.docker.type", "holds 'sandbox'")]
    [InlineData("io.kubernetes.cri.container-type=container io.kubernetes.cri.sandbox-id=../x", "", "character 3 is '/'")]
    public void Identify_BrokenAnnotations_NamesTheKey(string annotations, string field, string cause)
    {
        var exception = Assert.Throws<InvalidSpecException>(() => PodAnnotations.Identify(Parse(annotations)));

        Assert.Equal((field, cause), (exception.Field, exception.Cause));
    }

    private static Dictionary<string, string> Parse(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);
}
