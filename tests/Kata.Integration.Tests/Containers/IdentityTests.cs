using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>A process is who its specification or <c>exec</c> says: user, groups, home, names of program and machine.</summary>
[Collection(ContainersGroup.Name)]
public sealed class IdentityTests : IClassFixture<IdentityFixture>
{
    private const string Who = "echo $(id -u):$(id -g):$(id -G)";

    private readonly IdentityFixture _pod;

    public IdentityTests(IdentityFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Theory]
    [InlineData("", "1000:1001:1001 50 7")]
    [InlineData("--user 1002", "1002:1001:1001 50 7")]
    [InlineData("--user 1002:1003", "1002:1003:1003 50 7")]
    [InlineData("--user 0", "0:1001:1001 50 7")]
    [InlineData("--additional-gids 9 -g 50", "1000:1001:1001 50 7 9")]
    [InlineData("--user root", "0:0:0 50 7")]
    [InlineData("--user web", "1000:1000:1000 50 7")]
    [InlineData("--user 5:staff -g 9", "5:50:50 7 9")]
    public async Task Exec_User_ChangesWhatIsGivenAndNothingElse(string options, string expected)
    {
        string[] given = options.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string text = (await _pod.RunAsync(["exec", .. given, _pod.UserId, "sh", "-c", Who])).Ok().Text;

        // The kernel sorts the groups, and the shell's id shows the first one twice or not.
        string[] parts = text.Split(':'), wanted = expected.Split(':');
        Assert.Equal(wanted[..2], parts[..2]);
        Assert.Equal(
            wanted[2].Split(' ').Distinct().Order(StringComparer.Ordinal), parts[2].Split(' ').Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("""{"uid":1000,"gid":1001}""", "1000:1001:1001")]
    [InlineData("""{"uid":5,"gid":6,"username":"web"}""", "5:6:6")]
    [InlineData("""{"uid":5,"gid":6,"username":"nobody-here"}""", "5:6:6")]
    public async Task User_NumbersOfAnyDocument_AreWhatHolds(string user, string expected)
    {
        CommandResult run = await _pod.RunShellAsync(Who, bundle => bundle.Process["user"] = JsonNode.Parse(user));
        CommandResult exec = await ExecFileAsync($$"""{"args":["/bin/sh","-c","{{Who}}"],"env":["PATH=/bin"],"cwd":"/","user":{{user}}}""");

        Assert.Equal((expected, expected), (run.Ok().Text, exec.Ok().Text));
    }

    [Theory]
    [InlineData("0", "/root")]
    [InlineData("1000", "/home")]
    [InlineData("4242", "/")]
    public async Task Home_NotGiven_IsThatOfTheContainersPasswd(string uid, string home)
    {
        CommandResult run = await _pod.RunShellAsync(
            "echo $HOME", bundle => bundle.Process["user"]!["uid"] = int.Parse(uid, System.Globalization.CultureInfo.InvariantCulture));
        CommandResult exec = await _pod.RunAsync("exec", "--user", uid, _pod.UserId, "sh", "-c", "echo $HOME");
        CommandResult given = await _pod.RunAsync("exec", "--user", uid, "--env", "HOME=/given", _pod.UserId, "sh", "-c", "echo $HOME");

        Assert.Equal((home, home, "/given"), (run.Ok().Text, exec.Ok().Text, given.Ok().Text));
    }

    [Fact]
    public async Task Home_PasswdIsAMount_IsThatOfTheMount()
    {
        string file = Path.Combine(_pod.NewDirectory("passwd"), "file");
        await File.WriteAllTextAsync(file, "me:x:4242:0::/mine:/bin/sh\n");
        CommandResult result = await _pod.RunShellAsync("echo $HOME", bundle =>
        {
            bundle.Process["user"]!["uid"] = 4242;
            bundle.Mount("/etc/passwd", "bind", file, "rbind", "ro");
        });

        Assert.Equal("/mine", result.Ok().Text);
    }

    [Fact]
    public async Task Exec_FileWithoutEnvironment_HasHomeAlone() =>
        Assert.Equal("HOME=/root", (await ExecFileAsync("""{"args":["/bin/env"],"cwd":"/"}""")).Ok().Text);

    [Theory]
    [InlineData(".hidden")]
    [InlineData("...dots")]
    public async Task Program_NameBeginsWithADot_IsFoundInPath(string name)
    {
        string directory = _pod.NewDirectory("programs");
        string program = Path.Combine(directory, name);
        await File.WriteAllTextAsync(program, "#!/bin/sh\necho found\n");
        File.SetUnixFileMode(program, (UnixFileMode)0x1ed /* 0755 */);
        CommandResult result = await _pod.RunContainerAsync(_pod.NewPodBundle().Args(name).Mount("/mnt", "bind", directory, "rbind").Edit(
            static bundle => bundle.Process["env"] = TestBundle.Array("PATH=/tmp:/mnt:/bin")));
        CommandResult missing = await _pod.ExecAsync(_pod.UserId, name);

        Assert.Equal("found", result.Ok().Text);
        Assert.Equal(127, missing.ExitCode);
        Assert.Contains($"exec: \"{name}\": executable file not found in $PATH", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostname_NoUtsNamespace_IsTheHosts()
    {
        CommandResult result = await _pod.RunShellAsync("hostname", static bundle =>
        {
            bundle.Config.Remove("hostname");
            JsonArray namespaces = bundle.Linux["namespaces"]!.AsArray();
            namespaces.Remove(namespaces.Single(static item => item!["type"]!.ToString() == "uts"));
        });

        Assert.Equal((await File.ReadAllTextAsync("/proc/sys/kernel/hostname")).Trim(), result.Ok().Text);
    }

    [Fact]
    public async Task Capabilities_OfAnotherUser_HoldForFilesToo()
    {
        string directory = _pod.NewDirectory("owned");
        File.SetUnixFileMode(directory, (UnixFileMode)0x1ed /* 0755, of root */);
        const string Script =
            "touch /mnt/made; mkdir /mnt/there; stat -c %u:%g /mnt/made /mnt/there; echo x > /mnt/there/y; rm /mnt/there/y";
        CommandResult result = await _pod.RunShellAsync(Script, bundle =>
        {
            bundle.Mount("/mnt", "bind", directory, "rbind");
            bundle.Process["user"] = JsonNode.Parse("""{"uid":10,"gid":11}""");
            foreach (string set in new[] { "bounding", "effective", "permitted", "inheritable", "ambient" })
            {
                bundle.Process["capabilities"]![set] = TestBundle.Array("CAP_DAC_OVERRIDE");
            }
        });

        Assert.Equal(["10:11", "10:11"], result.Ok().Lines);
    }

    [Theory]
    [InlineData("""{"uid":10,"gid":11,"additionalGids":[50]}""", 0)]
    [InlineData("""{"uid":10,"gid":11}""", 1)]
    public async Task Files_InADirectoryOfAFurtherGroup_CanBeMade(string user, int code)
    {
        string directory = _pod.NewDirectory("grouped");
        using (RunningCommand chown = RunningCommand.Start("/bin/chown", ["0:50", directory]))
        {
            (await chown.FinishAsync(default, RuntimeFixture.Limit)).Ok();
        }

        File.SetUnixFileMode(directory, (UnixFileMode)0x1f8 /* 0770 */);
        CommandResult result = await _pod.RunShellAsync("touch /mnt/made && stat -c %u:%g /mnt/made", bundle =>
        {
            bundle.Mount("/mnt", "bind", directory, "rbind");
            bundle.Process["user"] = JsonNode.Parse(user);
        });

        Assert.Equal((code, code == 0 ? "10:11" : ""), (result.ExitCode, result.Text));
    }

    [Fact]
    public async Task UserNamespace_OfEveryNumber_HasItsOwnSysfs()
    {
        CommandResult result = await _pod.RunShellAsync("id -u; ls -d /sys/kernel; cat /proc/self/uid_map | tr -s ' '", static bundle =>
        {
            bundle.Linux["namespaces"]!.AsArray().Add(JsonNode.Parse("""{"type":"user"}"""));
            bundle.Linux["uidMappings"] = JsonNode.Parse("""[{"hostID":0,"containerID":0,"size":4294967295}]""");
            bundle.Linux["gidMappings"] = JsonNode.Parse("""[{"hostID":0,"containerID":0,"size":4294967295}]""");
        });

        Assert.Equal(["0", "/sys/kernel", " 0 0 4294967294", "4294967294 4294967294 1"], result.Ok().Lines);
    }

    private async Task<CommandResult> ExecFileAsync(string process)
    {
        string file = Path.Combine(_pod.NewDirectory("process"), "process.json");
        await File.WriteAllTextAsync(file, process);
        return await _pod.RunAsync("exec", "--process", file, _pod.UserId);
    }
}
