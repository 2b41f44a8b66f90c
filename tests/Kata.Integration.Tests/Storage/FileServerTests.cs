using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Storage;

/// <summary>
/// Files of the host in a container, by each virtiofsd with each guest kernel. What runc gives, or what docs/limitations.md says instead.
/// </summary>
public sealed class FileServerTests(FileServerFixture fixture) : IClassFixture<FileServerFixture>
{
    private static readonly TimeSpan s_seen = TimeSpan.FromSeconds(20);

    public static TheoryData<string, string> Matrix { get; } = new()
    {
        { FileServerFixture.C, FileServerFixture.Default },
        { FileServerFixture.C, FileServerFixture.Newer },
        { FileServerFixture.Rust, FileServerFixture.Default },
        { FileServerFixture.Rust, FileServerFixture.Newer },
    };

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Machine_HasTheKernelAndTheDaemon(string daemon, string kernel)
    {
        FileServerPod pod = fixture.Pod(daemon, kernel);

        Assert.Equal(daemon, pod.Program!.Kind.ToString());
        string release = (await fixture.ExecAsync(pod.Id, "uname", "-r")).Ok().Text;
        Assert.True(kernel == FileServerFixture.Default || release.StartsWith("6.12.", StringComparison.Ordinal), release);
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public void AdditionalGroup_MayWrite_MakesFiles(string daemon, string kernel) => AssertAnswers(
        fixture.Pod(daemon, kernel),
        [
            ("group-create", "ok"), ("group-mkdir", "ok"), ("group-symlink", "ok"), ("group-fifo", "ok"), ("group-link", "ok"),
            ("group-rename", "ok"), ("group-owner", "1000:2000:644"), ("group-directory", "1000:2000:2755"),
        ]);

    [Theory]
    [MemberData(nameof(Matrix))]
    public void Capability_OfAnotherUserThanRoot_Counts(string daemon, string kernel) =>
        AssertAnswers(fixture.Pod(daemon, kernel), [("capable-create", "ok"), ("capable-owner", "10:10:644")]);

    [Theory]
    [MemberData(nameof(Matrix))]
    public void WhoMayNot_StillMayNot(string daemon, string kernel) =>
        AssertAnswers(fixture.Pod(daemon, kernel), [("other-create", "EACCES"), ("other-group", "EACCES")]);

    [Theory]
    [MemberData(nameof(Matrix))]
    public void Lock_HeldByAnother_IsWaitedFor(string daemon, string kernel) => AssertAnswers(
        fixture.Pod(daemon, kernel), [("flock-held", "EAGAIN"), ("flock-waits", "ok"), ("fcntl-held", "EAGAIN"), ("fcntl-waits", "ok")]);

    [Theory]
    [MemberData(nameof(Matrix))]
    public void Append_TwoWriters_BothAtTheEnd(string daemon, string kernel) =>
        AssertAnswers(fixture.Pod(daemon, kernel), [("append", "abc")]);

    // The C daemon appends the page: docs/limitations.md. With it this is the fault as it is known.
    [Theory]
    [MemberData(nameof(Matrix))]
    public void MappedAppend_IsInItsPlaceWhereTheDaemonCan(string daemon, string kernel)
    {
        FileServerPod pod = fixture.Pod(daemon, kernel);

        AssertAnswers(pod, [("mapped-append", pod.Program!.MapsAppendedFiles ? "01AB456789" : "012345678901AB456789")]);
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public void ManyFiles_MoreThanTheCallersSoftLimit_AreAllThere(string daemon, string kernel) =>
        AssertAnswers(fixture.Pod(daemon, kernel), [("many", "1500:end:0")]);

    [Theory]
    [MemberData(nameof(Matrix))]
    public void UnnamedFile_IsRefusedAsProgramsExpect(string daemon, string kernel) =>
        AssertAnswers(fixture.Pod(daemon, kernel), [("unnamed", "EOPNOTSUPP")]);

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task File_GrowsOnTheHost_TheGuestSeesIt(string daemon, string kernel)
    {
        FileServerPod pod = fixture.Pod(daemon, kernel);
        string path = Path.Combine(pod.Volume, "grows");
        await File.WriteAllTextAsync(path, "one\n", TestContext.Current.CancellationToken);
        Assert.Equal("one", (await fixture.ExecAsync(pod.Id, "cat", "/vol/grows")).Ok().Text);

        await File.AppendAllTextAsync(path, "two\n", TestContext.Current.CancellationToken);

        using var limit = new CancellationTokenSource(s_seen);
        while ((await fixture.ExecAsync(pod.Id, "cat", "/vol/grows")).Ok().Text != "one\ntwo")
        {
            Assert.False(limit.IsCancellationRequested, "the guest never saw that the file grew");
        }
    }

    // Of ids in the specification, as engines give them; the questions change theirs themselves.
    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task AdditionalGroup_OfTheHost_IsThatOfTheProcess(string daemon, string kernel)
    {
        FileServerPod pod = fixture.Pod(daemon, kernel);
        string directory = Path.Combine(pod.Volume, "of-the-host");
        Directory.CreateDirectory(directory);
        (await fixture.ExecShellAsync(pod.Id, "busybox chgrp 3000 /vol/of-the-host && busybox chmod 2770 /vol/of-the-host")).Ok();

        CommandResult result = await fixture.RunAsync(
            "exec", "--user", "1000:1000", "--additional-gids", "3000", pod.Id, "sh", "-c", "echo x > /vol/of-the-host/file");

        Assert.Equal("", result.Ok().Error);
        Assert.Equal("x\n", await File.ReadAllTextAsync(Path.Combine(directory, "file"), TestContext.Current.CancellationToken));
    }

    private static void AssertAnswers(FileServerPod pod, (string Question, string Answer)[] expected)
    {
        string[] wanted = [.. expected.Select(static item => $"{item.Question} {item.Answer}")];
        Assert.Equal(wanted, expected.Select(item => $"{item.Question} {pod.OnVolume.GetValueOrDefault(item.Question)}"));
        Assert.Equal(wanted, expected.Select(item => $"{item.Question} {pod.OnRoot.GetValueOrDefault(item.Question)}"));
    }
}
