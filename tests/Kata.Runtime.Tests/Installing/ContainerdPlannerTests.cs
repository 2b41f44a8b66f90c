using System.Globalization;
using System.Text;
using CsCheck;
using Kata.Configuration;
using Kata.Runtime.Installing;

namespace Kata.Runtime.Tests.Installing;

/// <summary>Texts in, texts out. The changes are in Golden/containerd.txt, to be read through as a whole.</summary>
public sealed class ContainerdPlannerTests
{
    private const string Main = "/etc/containerd/config.toml";
    private const string Version2 = "version = 2\n";

    private static readonly ContainerdRuntime s_plain = new(null, null);
    private static readonly ContainerdRuntime s_paths = new(
        "/opt/kata/bin/containerd-shim-kata-v2", "/etc/kata-containers/my \"own\".toml");

    private static readonly string[] s_tails =
        ["", "\n", "\n\n", "# a comment\n", "\n[timeouts]\n  'a' = \"b\"\n", "\n[x]\n[[y]]\nz = 1\n", "# no newline"];

    public static TheoryData<string> Texts => new(s_cases.Select(static item => item.Text));

    private static readonly (string Title, ContainerdRuntime Runtime, string Text)[] s_cases =
    [
        ("An empty file", s_plain, ""),
        ("Only comments", s_plain, "# nothing\n"),
        ("Debian's file for containerd 1.6", s_paths, """
            version = 2

            [plugins]
              [plugins."io.containerd.grpc.v1.cri"]
                [plugins."io.containerd.grpc.v1.cri".cni]
                  bin_dir = "/usr/lib/cni"
                  conf_dir = "/etc/cni/net.d"
              [plugins."io.containerd.internal.v1.opt"]
                path = "/var/lib/containerd/opt"

            """),
        ("Docker's file, without a version", s_plain, "#   Copyright\n\ndisabled_plugins = [\"cri\"]\n#root = \"/var/lib/containerd\""),
        ("Another runtime is there: runc is not ours to add", s_plain, """
            version = 2
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia] # the user's
              runtime_type = "io.containerd.runc.v2"

            """),
        ("containerd 2", s_paths, "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'overlayfs'\n"),
        ("Version 4", s_plain, "version = 4\n"),
        ("Lines of Windows", s_plain, "version = 2\r\nroot = '/x'\r\n"),
        ("Keys with dots", s_plain, "version = 2\nplugins.'io.containerd.grpc.v1.cri'.containerd.default_runtime_name = \"runc\"\n"),
        ("A part of an older version of ours, and what the user wrote after it", s_plain, $"""
            version = 2

            {ContainerdRuntime.Begin}
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
              runtime_type = "io.containerd.kata.v1"
            {ContainerdRuntime.End}

            [debug]
              level = "info"

            """),
    ];

    [Fact]
    public async Task Plan_OneFile_GivesTheGolden()
    {
        var text = new StringBuilder();
        foreach ((string title, ContainerdRuntime runtime, string file) in s_cases)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {title}\n{Describe(Plan(runtime, (Main, file)))}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"## No file\n{Describe(ContainerdPlanner.Plan(Main, [], null, s_plain))}\n");
        IReadOnlyList<FileChange> inDirectory =
            Plan(s_plain, "/etc/containerd/conf.d", (Main, "version = 3\nimports = ['/etc/containerd/conf.d/*.toml']\n"));
        text.Append(CultureInfo.InvariantCulture, $"## containerd 2 imports a directory\n{Describe(inDirectory)}\n");
        IReadOnlyList<FileChange> inLastImport = Plan(
            s_plain,
            "/d",
            (Main, "version = 2\nimports = ['/d/*.toml']\n[plugins.'io.containerd.grpc.v1.cri']\n"),
            ("/d/a.toml", Version2 + "[plugins.'io.containerd.grpc.v1.cri'.registry]\n"),
            ("/d/b.toml", Version2));
        text.Append(
            CultureInfo.InvariantCulture, $"## containerd 1 takes the section from its last import\n{Describe(inLastImport)}\n");
        await GoldenText.CheckAsync("containerd.txt", text.ToString());
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Plan_SecondTime_ChangesNothing(string text)
    {
        FileChange change = Assert.Single(Plan(s_paths, (Main, text)));
        Assert.Empty(Plan(s_paths, (Main, change.After!)));
        Assert.NotEmpty(Plan(s_plain, (Main, change.After!))); // other options are a change
    }

    [Fact]
    public void Remove_AfterInstall_GivesTheUsersTextBack() =>
        Gen.Select(
            Gen.Int[0, s_cases.Length - 2].Select(static index => s_cases[index].Text),
            Gen.Int[0, s_tails.Length - 1].Select(static index => s_tails[index]),
            Gen.Bool)
            .Sample((text, tail, paths) =>
            {
                string before = text.Length > 0 && text[^1] != '\n' && tail.Length > 0 && tail[0] != '\n'
                    ? text + "\n" + tail
                    : text + tail;
                string after = Assert.Single(Plan(paths ? s_paths : s_plain, (Main, before))).After!;
                Assert.StartsWith(before, after, StringComparison.Ordinal);
                string end = before.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
                Assert.Equal(
                    before.Length == 0 || before[^1] == '\n' ? before : before + end, Assert.Single(Plan(null, (Main, after))).After);
            });

    [Fact]
    public void Remove_OfAFileThatWasOurs_RemovesIt()
    {
        FileChange made = Assert.Single(ContainerdPlanner.Plan(Main, [], null, s_plain));
        AssertRemoved(made, Plan(null, (Main, made.After!)));

        FileChange dropIn = Assert.Single(Plan(s_plain, "/d", (Main, "version = 3\nimports = ['/d/*.toml']\n")));
        Assert.Equal("/d/" + ContainerdPlanner.DropIn, dropIn.Path);
        AssertRemoved(dropIn, Plan(null, "/d", (Main, "version = 3\nimports = ['/d/*.toml']\n"), (dropIn.Path, dropIn.After!)));
        Assert.Empty(Plan(null, (Main, Version2)));
    }

    [Theory]
    [InlineData("version = 2\nplugins = = 3\n", "it is not TOML in line 2, column 11: ")]
    [InlineData("version = 2\n[a]\n[a]\n", "it is not TOML in line 3, column ")]
    [InlineData("version = 9\n", "its version is '9', and 1 to 4 are known")]
    [InlineData(
        "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.kata]\nruntime_type = 'x'\n",
        "line 2 has a runtime of that name")]
    [InlineData(
        "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\nruntimes = { runc = { runtime_type = 'x' } }\n",
        "line 3 has a value where tables of runtimes should follow")]
    [InlineData("version = 3\n\nplugins = { 'io.containerd.cri.v1.runtime' = {} }\n", "line 3 has a value where tables")]
    [InlineData("version = 2\n" + ContainerdRuntime.Begin + "\n[x]\n", "line 2 begins a part of ours whose last line")]
    public void Plan_FileThatCannotBeChanged_SaysWhere(string text, string cause)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Plan(s_plain, (Main, text)));
        Assert.Contains($"'{Main}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config-v2.toml")]
    [InlineData("config-v3.toml")]
    public async Task Snippet_InTheRepository_IsWhatIsInstalled(string name)
    {
        string snippet = await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "Deploy", name), TestContext.Current.CancellationToken);
        ContainerdDocument document = ContainerdDocument.Parse(name, snippet);
        Assert.NotNull(document.FindRuntime());
        string tables = s_plain.Tables(document.RuntimesKey, withVersion: false, withRunc: document.Version < 3);
        Assert.EndsWith(string.Join('\n', tables.Split('\n')[1..^2]) + "\n", snippet, StringComparison.Ordinal);
    }

    /// <summary>
    /// For "oci" CRI-O makes the container that begins a pod only when the handler is called something with kata, which the file must say;
    /// for "vm" it makes its fifos below the root, where they must not look like a pod.
    /// </summary>
    [Theory]
    [InlineData("50-kata.conf", "vm", "/usr/local/bin/containerd-shim-kata-v2", "/run/crio/kata")]
    [InlineData("50-kata-oci.conf", "oci", "/usr/local/bin/kata-runtime", "/run/kata")]
    public async Task Crio_FileInTheRepository_IsToml(string name, string type, string path, string root)
    {
        byte[] file = await File.ReadAllBytesAsync(
            Path.Combine(AppContext.BaseDirectory, "Deploy", name), TestContext.Current.CancellationToken);
        Dictionary<string, object?> values = TomlReader.Read(file, name)
            .ToDictionary(static entry => string.Join('.', entry.Path), static entry => entry.Content);
        Assert.Equal(type, values["crio.runtime.runtimes.kata.runtime_type"]);
        Assert.Equal(path, values["crio.runtime.runtimes.kata.runtime_path"]);
        Assert.Equal(root, values["crio.runtime.runtimes.kata.runtime_root"]);
        Assert.Equal(type == "oci", System.Text.Encoding.UTF8.GetString(file).Contains("must contain \"kata\"", StringComparison.Ordinal));
        Assert.Equal(true, values["crio.runtime.runtimes.kata.privileged_without_host_devices"]);
    }

    private static IReadOnlyList<FileChange> Plan(ContainerdRuntime? runtime, params (string Path, string Text)[] files) =>
        Plan(runtime, null, files);

    private static IReadOnlyList<FileChange> Plan(ContainerdRuntime? runtime, string? dropIns, params (string Path, string Text)[] files) =>
        ContainerdPlanner.Plan(Main, [.. files.Select(static file => ContainerdDocument.Parse(file.Path, file.Text))], dropIns, runtime);

    private static void AssertRemoved(FileChange made, IReadOnlyList<FileChange> changes)
    {
        FileChange change = Assert.Single(changes);
        Assert.Equal((made.Path, made.After, null), (change.Path, change.Before, change.After));
    }

    private static string Describe(IEnumerable<FileChange> changes) => string.Concat(changes.Select(TextDifference.Describe));
}
