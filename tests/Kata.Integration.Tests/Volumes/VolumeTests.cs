using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Volumes;

/// <summary>
/// A file of the host is the same file everywhere in a pod: in every container, by every mount, writable or not. With either virtiofsd.
/// </summary>
public abstract class VolumeTests
{
    private readonly PodFixture _pod;

    private protected VolumeTests(FileServerPodFixture pod)
    {
        RuntimeFixture.Require();
        Assert.SkipWhen(pod.NoDaemon is not null, pod.NoDaemon ?? "");
        _pod = pod;
    }

    [Fact]
    public async Task Volume_OfTwoContainers_IsOneFileSystem()
    {
        string volume = NewVolume();
        string first =
            await StartAsync(bundle => WithHostPrograms(bundle).Mount("/a", "bind", volume, "rbind").Mount("/b", "bind", volume, "rbind"));
        string second = await StartAsync(bundle => WithHostPrograms(bundle).Mount("/mnt", "bind", volume, "rbind"));
        const string Status = "stat -c %d:%i";

        string[] files = (await _pod.ExecShellAsync(first, $"{Status} /a/sub/file; {Status} /b/sub/file; mknod /a/fifo p")).Ok().Lines;
        Assert.Equal(files[0], files[1]);
        Assert.Equal(files[0], (await _pod.ExecShellAsync(second, $"{Status} /mnt/sub/file")).Ok().Text);

        Task<CommandResult> reader = _pod.ExecShellAsync(first, "cat /a/fifo");
        (await _pod.ExecShellAsync(second, "echo through > /mnt/fifo")).Ok();
        Assert.Equal("through", (await reader).Ok().Text);

        Task<CommandResult> holder = _pod.ExecShellAsync(first, "flock -n /b/lock sh -c 'touch /b/held; read line < /b/fifo'");
        string[] tried = (await _pod.ExecShellAsync(
            second, "until [ -e /mnt/held ]; do sleep 0.1; done; flock -n /mnt/lock true; echo $?; echo done > /mnt/fifo")).Ok().Lines;
        Assert.Equal(["1"], tried);
        (await holder).Ok();
        (await _pod.ExecShellAsync(second, "flock -n /mnt/lock true")).Ok();
    }

    [Fact]
    public async Task Volume_ReadOnlyHereAndWritableThere_IsReadOnlyOnTheHostWhileNobodyMayWrite()
    {
        string volume = NewVolume();
        string reader = await StartAsync(bundle => bundle.Mount("/mnt", "bind", volume, "rbind", "ro"));
        Assert.Equal("ro", HostMode(volume));

        string writer = await StartAsync(bundle => bundle.Mount("/mnt", "bind", volume, "rbind"));
        Assert.Equal("rw", HostMode(volume));
        (await _pod.ExecShellAsync(writer, "echo new > /mnt/sub/file")).Ok();
        Assert.Equal("new", (await _pod.ExecShellAsync(reader, "cat /mnt/sub/file")).Ok().Text);
        Assert.Contains(
            "Read-only file system", (await _pod.ExecShellAsync(reader, "echo x > /mnt/sub/file")).Error, StringComparison.Ordinal);

        (await _pod.RunAsync("delete", "--force", writer)).Ok();
        Assert.Equal("ro", HostMode(volume));
        Assert.Equal("new", (await _pod.ExecShellAsync(reader, "cat /mnt/sub/file")).Ok().Text);
    }

    [Fact]
    public async Task Volume_PartOfAnother_IsTheSameFileWhicheverCameFirst()
    {
        string volume = NewVolume();
        string part = await StartAsync(bundle => bundle.Mount("/mnt", "bind", Path.Combine(volume, "sub"), "rbind"));
        string whole = await StartAsync(bundle => bundle.Mount("/mnt", "bind", volume, "rbind"));
        string later = await StartAsync(bundle => bundle
            .Mount("/mnt/deep", "bind", Path.Combine(volume, "sub/deep"), "rbind")
            .Mount("/mnt/file", "bind", Path.Combine(volume, "sub/file"), "bind"));

        string file = (await _pod.ExecShellAsync(part, "stat -c %d:%i /mnt/file /mnt/deep")).Ok().Text;

        Assert.Equal(file, (await _pod.ExecShellAsync(whole, "stat -c %d:%i /mnt/sub/file /mnt/sub/deep")).Ok().Text);
        Assert.Equal(file, (await _pod.ExecShellAsync(later, "stat -c %d:%i /mnt/file /mnt/deep")).Ok().Text);
        (await _pod.RunAsync("delete", "--force", part)).Ok();
        Assert.Equal(file, (await _pod.ExecShellAsync(whole, "stat -c %d:%i /mnt/sub/file /mnt/sub/deep")).Ok().Text);
    }

    [Fact]
    public async Task Volume_WritablePartOfAReadOnlyOne_IsTheSameFileAndLeavesTheRestReadOnlyOnTheHost()
    {
        string volume = NewVolume();
        string reader = await StartAsync(bundle => bundle.Mount("/mnt", "bind", volume, "rbind", "ro"));
        const string Status = "stat -c %d:%i";

        CommandResult writer = await _pod.RunShellAsync(
            $"echo new > /part/file; cat /mnt/sub/file; {Status} /part/file /mnt/sub/file; echo x > /mnt/sub/file; exit 3",
            bundle => bundle.Mount("/mnt", "bind", volume, "rbind", "ro").Mount("/part", "bind", Path.Combine(volume, "sub"), "rbind"));
        CommandResult read = await _pod.ExecShellAsync(reader, $"cat /mnt/sub/file; {Status} /mnt/sub/file; echo x > /mnt/sub/file");

        Assert.Equal(3, writer.ExitCode);
        Assert.Equal(["new", writer.Lines[1], writer.Lines[1]], writer.Lines);
        Assert.Equal(["new", writer.Lines[1]], read.Lines);
        Assert.All((CommandResult[])[writer, read], static result =>
            Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal));
        Assert.Equal("ro", HostMode(volume));
    }

    [Fact]
    public async Task Bind_WhatIsMountedBelow_IsHiddenOrShownAndReadOnlyAsTheOptionsSay()
    {
        string volume = NewVolume();
        string below = Path.Combine(volume, "sub");
        (await HostAsync("/bin/mount", "-t", "tmpfs", "none", below)).Ok();
        try
        {
            await File.WriteAllTextAsync(Path.Combine(below, "secret"), "secret", TestContext.Current.CancellationToken);
            CommandResult result = await _pod.RunShellAsync(
                "ls /plain/sub; cat /tree/sub/secret; touch /tree/made; touch /tree/sub/made && echo written; touch /all/sub/other",
                bundle => bundle
                    .Mount("/plain", "bind", volume, "bind", "ro")
                    .Mount("/tree", "bind", volume, "rbind", "ro")
                    .Mount("/all", "bind", volume, "rbind", "rro"));

            Assert.Equal("deep\nfile\nsecretwritten", result.Text);
            Assert.Equal(2, result.Error.Split("Read-only file system").Length - 1);
            Assert.Equal(["made", "secret"], Directory.GetFiles(below).Select(Path.GetFileName).Order());
        }
        finally
        {
            (await HostAsync("/bin/umount", below)).Ok();
        }
    }

    [Fact]
    public async Task Propagation_WhatTheHostMountsLater_ComesAndGoes()
    {
        string volume = NewVolume(), later = Path.Combine(volume, "sub");
        string before = Directory.CreateDirectory(Path.Combine(volume, "before")).FullName;
        (await HostAsync("/bin/mount", "--bind", volume, volume)).Ok();
        try
        {
            (await HostAsync("/bin/mount", "--make-shared", volume)).Ok();
            (await HostAsync("/bin/mount", "-t", "tmpfs", "none", before)).Ok();
            await File.WriteAllTextAsync(Path.Combine(before, "mounted"), "", TestContext.Current.CancellationToken);
            string id = await StartAsync(bundle => bundle
                .Mount("/mnt", "bind", volume, "rbind", "rslave")
                .Mount("/twice", "bind", volume, "rbind", "ro", "rshared")
                .Mount("/private", "bind", volume, "rbind"));
            Assert.Equal(["/mnt/before/mounted", "/private/before/mounted", "/twice/before/mounted"], await MountedAsync());

            (await HostAsync("/bin/mount", "-t", "tmpfs", "-o", "ro", "none", later)).Ok();
            (await HostAsync("/bin/mount", "-o", "remount,rw", later)).Ok();
            await File.WriteAllTextAsync(Path.Combine(later, "mounted"), "", TestContext.Current.CancellationToken);
            await UntilAsync(
                ["/mnt/before/mounted", "/mnt/sub/mounted", "/private/before/mounted", "/twice/before/mounted", "/twice/sub/mounted"]);
            string[] same = (await _pod.ExecShellAsync(id, "stat -c %d:%i /mnt/sub/mounted /twice/sub/mounted")).Ok().Lines;
            Assert.Equal(same[0], same[1]);

            (await HostAsync("/bin/umount", later)).Ok(); // nobody keeps it busy
            (await HostAsync("/bin/umount", before)).Ok();
            await UntilAsync(["/private/before/mounted"]);
            Assert.Equal("content", (await _pod.ExecShellAsync(id, "cat /mnt/sub/file")).Ok().Text);
            (await _pod.RunAsync("delete", "--force", id)).Ok();

            async Task<string[]> MountedAsync() => (await _pod.ExecShellAsync(id, "ls -1 /*/*/mounted")).Lines;

            async Task UntilAsync(string[] expected)
            {
                using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
                while (!Enumerable.SequenceEqual(expected, await MountedAsync()))
                {
                    await Task.Delay(200, limit.Token);
                }
            }
        }
        finally
        {
            await HostAsync("/bin/umount", "--recursive", volume);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MountPoint_BehindLinks_IsMadeInsideTheRootAndNotBelowATmpfs(bool readOnly)
    {
        string volume = NewVolume(), file = Path.Combine(volume, "sub/file");
        string root = RootFileSystem.Create(_pod.NewDirectory("rootfs"));
        Directory.CreateDirectory(Path.Combine(root, "var"));
        Directory.CreateDirectory(Path.Combine(root, "run"));
        File.CreateSymbolicLink(Path.Combine(root, "var/run"), "/run");
        File.CreateSymbolicLink(Path.Combine(root, "etc/resolv.conf"), "../run/systemd/resolve/stub.conf");
        File.CreateSymbolicLink(Path.Combine(root, "etc/localtime"), "/usr/share/zoneinfo/Nowhere");
        File.CreateSymbolicLink(Path.Combine(root, "etc/out"), "../../../../../../../made-on-the-host");

        CommandResult result = await _pod.RunShellAsync("cat /etc/resolv.conf /etc/localtime /var/run/app/file /etc/out", bundle =>
        {
            bundle.RootFs(root).Config["root"]!["readonly"] = readOnly;
            bundle.Mount("/run", "tmpfs", "tmpfs", "mode=755");
            foreach (string destination in (string[])["/etc/resolv.conf", "/etc/localtime", "/var/run/app/file", "/etc/out"])
            {
                bundle.Mount(destination, "bind", file, "bind", "ro");
            }
        });

        Assert.Equal("contentcontentcontentcontent", result.Ok().Text);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(root, "run")));
        Assert.True(File.Exists(Path.Combine(root, "made-on-the-host")));
        Assert.False(File.Exists("/made-on-the-host"));
    }

    [Fact]
    public async Task Overlay_OfHostDirectories_IsWrittenAbove()
    {
        string lower = NewVolume(), upper = _pod.NewDirectory("upper"), work = _pod.NewDirectory("work");

        CommandResult result = await _pod.RunShellAsync(
            "cat /mnt/sub/file; echo new > /mnt/sub/file; cat /mnt/sub/file; touch /image/x",
            bundle => bundle.Mount("/mnt", "overlay", "overlay", $"lowerdir={lower}", $"upperdir={upper}", $"workdir={work}", "private")
                .Mount("/image", "overlay", "overlay", $"lowerdir={lower}:{upper}", "ro"));

        Assert.Equal("contentnew", result.Text);
        Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal);
        Assert.Equal("content", await File.ReadAllTextAsync(Path.Combine(lower, "sub/file"), TestContext.Current.CancellationToken));
        Assert.Equal("new\n", await File.ReadAllTextAsync(Path.Combine(upper, "sub/file"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Volume_IdMapped_HasOtherOwnersInTheContainerAndTheHostsOnTheHost()
    {
        string volume = NewVolume();
        (await HostAsync("/bin/chown", "-R", "1000:1001", volume)).Ok();
        (await HostAsync("/bin/chmod", "777", volume)).Ok();
        string id = await StartAsync(bundle => WithHostPrograms(bundle).Mount("/plain", "bind", volume, "rbind")
            .Mount("/mapped", "bind", volume, "rbind", "idmap=uids=1000-0-1#0-5000-1;gids=1001-0-1#0-5000-1"));

        Assert.Equal(["0:0", "1000:1001"], (await _pod.ExecShellAsync(id, "stat -c %u:%g /mapped/sub/file /plain/sub/file")).Ok().Lines);
        string[] names = ["made", "link", "other"];
        (await _pod.ExecShellAsync(id, "echo made > /mapped/made; ln -s made /mapped/link")).Ok();
        (await _pod.RunAsync("exec", "--user", "5000:5000", id, "mkdir", "/mapped/other")).Ok();
        Assert.Equal(
            ["1000:1001", "1000:1001", "0:0"],
            (await HostAsync("/usr/bin/stat", ["-c", "%u:%g", .. names.Select(name => Path.Combine(volume, name))])).Ok().Lines);
        // It has no owner on the host, as with runc.
        CommandResult refused = await _pod.RunAsync("exec", "--user", "4711", id, "touch", "/mapped/more");
        Assert.Contains("Value too large", refused.Error, StringComparison.Ordinal);
        Assert.Equal("made", (await _pod.ExecShellAsync(id, "cat /plain/made")).Ok().Text);
    }

    // One of them is in the other: they are one file system in the guest.
    private static TestBundle WithHostPrograms(TestBundle bundle)
    {
        bundle.Process["env"] = TestBundle.Array("PATH=/bin:/usr/bin");
        return bundle.Mount("/lib", "bind", "/usr/lib", "rbind", "ro")
            .Mount("/lib64", "bind", "/usr/lib64", "rbind", "ro")
            .Mount("/usr", "bind", "/usr", "rbind", "ro");
    }

    private string NewVolume()
    {
        string volume = _pod.NewDirectory("volume");
        Directory.CreateDirectory(Path.Combine(volume, "sub/deep"));
        File.WriteAllText(Path.Combine(volume, "sub/file"), "content");
        return volume;
    }

    private async Task<string> StartAsync(Action<TestBundle> edit)
    {
        string id = _pod.NewId();
        TestBundle bundle = _pod.NewPodBundle().Args("sleep", "100000");
        edit(bundle);
        (await _pod.RunDetachedAsync("run", "--detach", "--bundle", bundle.Write(), id)).Result.Ok();
        return id;
    }

    // In the namespace of the daemon: what its copy of the mount is, the guest meets.
    private string HostMode(string volume)
    {
        int daemon = _pod.Snapshot().Processes.First(process => process.Command.Contains("virtiofsd", StringComparison.Ordinal)).Pid;
        string mount = Assert.Single(
            File.ReadAllLines($"/proc/{daemon}/mountinfo"),
            line => line.Split(' ')[3].EndsWith("/" + Path.GetFileName(volume), StringComparison.Ordinal));
        return mount.Split(' ')[5].Split(',')[0];
    }

    private static async Task<CommandResult> HostAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        return await command.FinishAsync(default, RuntimeFixture.Limit);
    }
}
