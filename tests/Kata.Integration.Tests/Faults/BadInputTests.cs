using System.Text.Json.Nodes;

namespace Kata.Integration.Tests.Faults;

/// <summary>What a user reads when the input is wrong: the cause, the remedy, exit code 1, and nothing left behind.</summary>
public sealed class BadInputTests : FaultTests
{
    [Fact]
    public async Task Create_BundleMissing_SaysSo() =>
        await RefuseAsync(
            "Cannot load the bundle '{dir}/none': the directory does not exist. Name the directory that holds config.json with --bundle",
            "create", "-b", $"{Host.Directory}/none", "c1");

    [Fact]
    public async Task Create_ConfigMissing_SaysSo()
    {
        string bundle = Host.Bundle();
        File.Delete($"{bundle}/config.json");
        await RefuseAsync(
            "Cannot load the bundle '{bundle}': there is no config.json in it. "
            + "Write one ('kata-runtime spec' makes a template), or name another directory with --bundle",
            "create", "-b", bundle, "c1");
    }

    [Theory]
    [InlineData(
        "{\n  \"ociVersion\": \"1.0.2\",\n  oops\n}",
        "Cannot load the bundle '{bundle}': config.json is not JSON at line 3, column 3: it holds 'o'. "
        + "A name in double quotes must follow the comma")]
    [InlineData("", "Cannot load the bundle '{bundle}': config.json is empty. It must be a JSON object")]
    [InlineData("null", "Cannot load the bundle '{bundle}': config.json holds only null. It must be an object")]
    [InlineData("[]", "Cannot load the bundle '{bundle}': config.json holds an array. It must be an object")]
    public async Task Create_ConfigMalformed_NamesThePlace(string text, string expected)
    {
        string bundle = Host.Bundle();
        await File.WriteAllTextAsync($"{bundle}/config.json", text, TestContext.Current.CancellationToken);
        await RefuseAsync(expected, "create", "-b", bundle, "c1");
    }

    [Theory]
    [InlineData("/process/args", "\"sh\"", "Cannot load the bundle '{bundle}': /process/args: holds the string 'sh'. It must be an array")]
    [InlineData(
        "/process/args",
        "[]",
        "Cannot load the bundle '{bundle}': /process/args: is an empty array. It must name at least the program to run")]
    [InlineData("/process/cwd", "7", "Cannot load the bundle '{bundle}': /process/cwd: holds the number 7. It must be a string")]
    [InlineData(
        "/process/cwd",
        "\"tmp\"",
        "Cannot load the bundle '{bundle}': /process/cwd: holds the relative path 'tmp'. It must be an absolute path")]
    [InlineData(
        "/process/user/uid",
        "-1",
        "Cannot load the bundle '{bundle}': /process/user/uid: holds the number -1. It must be a whole number from 0 to 4294967295")]
    [InlineData(
        "/process/user/uid",
        "\"root\"",
        "Cannot load the bundle '{bundle}': /process/user/uid: holds the string 'root'. It must be a whole number from 0 to 4294967295")]
    [InlineData(
        "/process/terminal",
        "\"yes\"",
        "Cannot load the bundle '{bundle}': /process/terminal: holds the string 'yes'. It must be true or false")]
    [InlineData(
        "/root/path",
        "\"nowhere\"",
        "Cannot load the bundle '{bundle}': the root file system '{bundle}/nowhere' does not exist. "
        + "Unpack an image there, or correct /root/path in config.json")]
    [InlineData("/root", "null", "Cannot load the bundle '{bundle}': /root: is missing. It must be an object with a 'path'")]
    [InlineData("/process", "null", "Cannot load the bundle '{bundle}': /process: is missing. It must be an object with 'args' and 'cwd'")]
    [InlineData(
        "/mounts/0/destination",
        "\"proc\"",
        "Cannot load the bundle '{bundle}': /mounts/0/destination: holds the relative path 'proc'. It must be an absolute path")]
    [InlineData(
        "/linux/namespaces/0/type",
        "\"cake\"",
        "Cannot load the bundle '{bundle}': /linux/namespaces/0/type: holds 'cake'. "
        + "It must be one of pid, network, mount, ipc, uts, user, cgroup, time")]
    [InlineData(
        "/ociVersion",
        "\"0.9.0\"",
        "Cannot load the bundle '{bundle}': /ociVersion: holds '0.9.0'. "
        + "It must be a version of the OCI runtime specification from 1.0.0 on and below 2.0.0, such as '1.0.2'")]
    [InlineData(
        "/ociVersion",
        "\"2.0.0\"",
        "Cannot load the bundle '{bundle}': /ociVersion: holds '2.0.0'. "
        + "It must be a version of the OCI runtime specification from 1.0.0 on and below 2.0.0, such as '1.0.2'")]
    [InlineData(
        "/ociVersion",
        "\"abc\"",
        "Cannot load the bundle '{bundle}': /ociVersion: holds 'abc'. "
        + "It must be a version of the OCI runtime specification from 1.0.0 on and below 2.0.0, such as '1.0.2'")]
    [InlineData("/ociVersion", "null", "Cannot load the bundle '{bundle}': /ociVersion: holds null. It must be a string")]
    public async Task Create_FieldWrong_NamesFieldValueAndRemedy(string pointer, string json, string expected)
    {
        string bundle = Host.Bundle(edit: config => Set(config, pointer, json));
        await RefuseAsync(expected, "create", "-b", bundle, "c1");
    }

    [Theory]
    [InlineData("start")]
    [InlineData("state")]
    [InlineData("kill")]
    [InlineData("delete")]
    [InlineData("exec")]
    public async Task Verb_IdUnknown_SaysSo(string verb)
    {
        string action = verb switch { "state" => "query", "kill" => "signal", "exec" => "execute in", _ => verb };
        string text = $"Cannot {action} the container 'nobody': it does not exist. See 'kata-runtime list'";
        await RefuseAsync(text, [verb, "nobody", .. verb == "exec" ? new[] { "true" } : []]);
    }

    [Fact]
    public async Task Delete_IdUnknownWithForce_Succeeds() =>
        Assert.Equal(new Outcome(0, "", ""), await Host.RunAsync("delete", "--force", "nobody"));

    [Theory]
    [InlineData(
        "a/b", "Cannot use the container id 'a/b': character 2 is '/'. Use 1 to 255 characters from A-Z, a-z, 0-9, '_', '+', '-' and '.'")]
    [InlineData(
        "../c1",
        "Cannot use the container id '../c1': character 3 is '/'. Use 1 to 255 characters from A-Z, a-z, 0-9, '_', '+', '-' and '.'")]
    [InlineData("", "Cannot use the container id '': it is empty. Use 1 to 255 characters from A-Z, a-z, 0-9, '_', '+', '-' and '.'")]
    [InlineData(
        "@containers",
        "Cannot use the container id '@containers': character 1 is '@'. Use 1 to 255 characters from A-Z, a-z, 0-9, '_', '+', '-' and '.'")]
    [InlineData(
        "c 1", "Cannot use the container id 'c 1': character 2 is ' '. Use 1 to 255 characters from A-Z, a-z, 0-9, '_', '+', '-' and '.'")]
    public async Task Create_IdInvalid_SaysWhatIsAllowed(string id, string expected) =>
        await RefuseAsync(expected, "create", "-b", Host.Bundle(), id);

    [Fact]
    public async Task Create_IdOfThousandCharacters_SaysTheLimit() =>
        await RefuseAsync("Cannot use the container id 'xxxxxxxx*", "create", "-b", Host.Bundle(), new string('x', 1000));

    [Theory]
    [InlineData(
        "kernel",
        "Cannot use the guest kernel '/nonexistent/file': it does not exist. "
        + "Run 'make install' (in a clone 'make guest'), or set hypervisor.qemu.kernel")]
    [InlineData(
        "initrd",
        "Cannot use the guest image '/nonexistent/file': it does not exist. "
        + "Run 'make install' (in a clone 'make guest'), or set hypervisor.qemu.initrd")]
    [InlineData(
        "path", "Cannot use the hypervisor '/nonexistent/file': it does not exist. Install 'qemu-system-x86', or set hypervisor.qemu.path")]
    [InlineData(
        "virtio_fs_daemon",
        "Cannot use the shared file system daemon '/nonexistent/file': it does not exist. "
        + "Install 'virtiofsd' (Debian 12: 'qemu-system-common'), or set hypervisor.qemu.virtio_fs_daemon")]
    public async Task Create_FileOfTheConfigurationMissing_NamesKey(string key, string expected)
    {
        Host.Configure(hypervisor: $"{key} = \"/nonexistent/file\"");
        await RefuseAsync(expected, "create", "-b", Host.Bundle(), "c1");
    }

    // The monitor sees a closed socket, which says nothing.
    [Theory]
    [InlineData(
        "echo virtiofsd of mine",
        "Cannot use '{dir}/virtiofsd' as virtiofsd: it answers '--version' with 'virtiofsd of mine'. "
        + "Set 'virtio_fs_daemon' to the virtiofsd of QEMU or of virtio-fs.gitlab.io")]
    [InlineData(
        "[ $1 != --version ] || exec echo virtiofsd 1.13.2; echo no share >&2; exit 3",
        "Cannot share files with the pod 'c1': virtiofsd ended with exit code 3: no share. Check hypervisor.qemu.virtio_fs_daemon")]
    public async Task Create_FileServerThatCannotServe_GivesItsOwnWords(string script, string expected)
    {
        string path = Path.Combine(Host.Directory, "virtiofsd");
        await File.WriteAllTextAsync(path, $"#!/bin/sh\n{script}\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Host.Configure(hypervisor: $"virtio_fs_daemon = \"{path}\"");

        Outcome outcome = await Host.RunAsync("create", "-b", Host.Bundle(), "c1");

        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains(
            $"kata-runtime: {expected.Replace("{dir}", Host.Directory, StringComparison.Ordinal)}\n",
            outcome.Error,
            StringComparison.Ordinal);
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(
        "[hypervisor.qemu]\nmachine_type = \"pdp11\"\n",
        "Cannot use the configuration '{dir}/configuration.toml:2': hypervisor.qemu.machine_type holds \"pdp11\". "
        + "It must be one of \"\", \"q35\", *")]
    [InlineData(
        "[hypervisor.qemu]\ndefault_memory = 0\n",
        "Cannot use the configuration '{dir}/configuration.toml:2': hypervisor.qemu.default_memory holds 0. "
        + "It must be a whole number from 256 to 16777216, in MiB")]
    [InlineData(
        "[hypervisor.qemu]\n\ndefault_memory = \"much\"\n",
        "Cannot use the configuration '{dir}/configuration.toml:3': hypervisor.qemu.default_memory holds \"much\". "
        + "It must be a whole number from 256 to 16777216, in MiB")]
    [InlineData(
        "[hypervisor.qemu]\nimage = \"/a\"\ninitrd = \"/b\"\n",
        "Cannot use the configuration '{dir}/configuration.toml:3': "
        + "both initrd and image are set, the latter in {dir}/configuration.toml:2. Set only one of them, or the other one to \"\"")]
    [InlineData("[hypervisor.qemu\n", "Cannot use the configuration '{dir}/configuration.toml:1': it is not TOML: *")]
    [InlineData(
        "[kata]\njail_user = 0\n",
        "Cannot use the configuration '{dir}/configuration.toml:2': kata.jail_user holds 0. "
        + "It must be a whole number from 1 to 4294967294")]
    [InlineData(
        "[kata]\nboot_timeout = -1\n",
        "Cannot use the configuration '{dir}/configuration.toml:2': kata.boot_timeout holds -1. "
        + "It must be a number from 0.1 to 86400, in seconds")]
    public async Task Create_ConfigurationUnusable_NamesFileLineAndValues(string text, string expected)
    {
        Host.WriteConfiguration(text);
        await RefuseAsync(expected, "create", "-b", Host.Bundle(), "c1");
    }

    [Fact]
    public async Task Create_ConfigurationMissing_SaysSo()
    {
        File.Delete(Host.Configuration);
        await RefuseAsync(
            "Cannot use the configuration '{dir}/configuration.toml': there is no such file. "
            + "Correct --kata-config or KATA_CONF_FILE, or leave it out",
            "create", "-b", Host.Bundle(), "c1");
    }

    [Fact]
    public async Task Create_AnnotationNotEnabled_SaysHowToEnableIt()
    {
        string bundle = Host.Bundle(edit: static config =>
            config["annotations"] = new JsonObject { ["io.katacontainers.config.hypervisor.default_memory"] = "512" });
        await RefuseAsync(
            "Cannot load the bundle '{bundle}': /annotations/io.katacontainers.config.hypervisor.default_memory: "
            + "annotation io.katacontainers.config.hypervisor.default_memory is not enabled. Remove it from the pod, "
            + "or add \"^default_memory$\" to enable_annotations in [hypervisor.qemu] of '{dir}/configuration.toml'",
            "create", "-b", bundle, "c1");
    }

    [Theory]
    [InlineData("Cannot run the command 'frobnicate': there is none of that name. See 'kata-runtime --help'", "frobnicate")]
    [InlineData(
        "Cannot use the option '--frobnicate': 'create' has none of that name. See 'kata-runtime create --help'",
        "create", "--frobnicate", "c1")]
    [InlineData("Cannot run 'create': its argument ID is missing. See 'kata-runtime create --help'", "create")]
    [InlineData("Cannot use the argument 'b': 'state' takes no more. See 'kata-runtime state --help'", "state", "a", "b")]
    [InlineData(
        "Cannot use the signal 'SIGFROB': there is none of that name or number. "
        + "Use a name such as SIGTERM or SIGRTMIN+3, with or without SIG, or a number from 1 to 64",
        "kill", "c1", "SIGFROB")]
    [InlineData(
        "Cannot use the signal '99': there is none of that name or number. "
        + "Use a name such as SIGTERM or SIGRTMIN+3, with or without SIG, or a number from 1 to 64",
        "kill", "c1", "99")]
    [InlineData("Cannot use the value 'xml' of '--format': it is none of those allowed. Give 'json' or 'table'", "list", "--format", "xml")]
    public async Task CommandLine_Wrong_SaysWhat(string expected, params string[] arguments) => await RefuseAsync(expected, arguments);

    [Fact]
    public async Task Create_TerminalDetachedWithoutConsoleSocket_SaysHow()
    {
        string bundle = Host.Bundle(edit: static config => config["process"]!["terminal"] = true);
        await RefuseAsync(
            "Cannot give a detached process a terminal without '--console-socket': nobody would hold it. "
            + "Give the option, or run in the foreground", "create", "-b", bundle, "c1");
    }

    [Fact]
    public async Task Create_ConsoleSocketMissing_SaysWhich()
    {
        string bundle = Host.Bundle(edit: static config => config["process"]!["terminal"] = true);
        await RefuseAsync(
            "Cannot hand the terminal over to the console socket '{dir}/none.sock': connect: No such file or directory (ENOENT). "
            + "Start the program that listens there first, or correct --console-socket",
            "create", "-b", bundle, "--console-socket", $"{Host.Directory}/none.sock", "c1");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(13)]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(40)]
    public async Task Create_TooFewDescriptors_SaysSo(int limit)
    {
        string bundle = Host.Bundle();
        FaultCommand command = Host.StartRaw(
            "/bin/sh", "-c", $"ulimit -n {limit}; exec \"$0\" \"$@\"", FaultHarness.Runtime, "--root", Host.Root,
            "--kata-config", Host.Configuration, "create", "-b", bundle, "c1");
        Outcome outcome = await command.FinishAsync();
        Assert.True(outcome.Code != 0, outcome.ToString());
        Assert.Contains("kata-runtime: ", outcome.Error);
        Assert.True(outcome.Error.Contains("raise its limit ('ulimit -n'"), outcome.ToString());
        Assert.DoesNotContain("Unhandled", outcome.Error);
        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("4k")]
    [InlineData("16k")]
    [InlineData("32k")]
    public async Task Create_StateRootFull_SaysSoAndLeavesNothing(string size)
    {
        string bundle = Host.Bundle();
        Directory.CreateDirectory(Host.Root);
        // A file fills the small file system up to its last page, or but one: each size stops the creation at another place.
        string script = $"mount -t tmpfs -o size={size} tmpfs {Host.Root} && dd if=/dev/zero of={Host.Root}/fill bs=4k 2>/dev/null; "
            + "k=\"$0 --root $1 --kata-config $2\"; $k create -b $3 c1; code=$?; $k delete --force c1 || exit 99; rm $1/fill; "
            + "ls -A $1/@containers; ls -A $1; exit $code";
        Outcome outcome = await Host.StartRaw(
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, FaultHarness.Runtime, Host.Root,
            Host.Configuration, bundle).FinishAsync();
        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains("No space left on device", outcome.Error);
        Assert.True(outcome.Output is "@containers\n" or "", outcome.ToString());
        await Host.AssertNothingLeftAsync();
    }

    private async Task RefuseAsync(string expected, params string[] arguments)
    {
        Outcome outcome = await Host.RunAsync(arguments);
        outcome.AssertRefused(
            expected.Replace("{bundle}", $"{Host.Directory}/bundle", StringComparison.Ordinal)
                .Replace("{dir}", Host.Directory, StringComparison.Ordinal),
            arguments[0] == "exec" ? 255 : 1);
        await Host.AssertNothingLeftAsync();
    }

    private static void Set(JsonObject config, string pointer, string json)
    {
        string[] names = pointer.Split('/')[1..];
        JsonNode at = config;
        foreach (string name in names[..^1])
        {
            at = at is JsonArray list ? list[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)]! : at[name]!;
        }

        at[names[^1]] = JsonNode.Parse(json);
    }
}
