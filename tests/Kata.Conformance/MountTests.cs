using Kata.Conformance.Harness;
using Kata.Integration.Tests.Harness;

namespace Kata.Conformance;

/// <summary>config.md: root and mounts.</summary>
public sealed class MountTests
{
    public static TheoryData<string> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Mounts_OfEveryKind_AreMade(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Root and mounts");
        string shared = Path.Combine(on.Directory, "shared"), file = Path.Combine(on.Directory, "file");
        string below = Path.Combine(shared, "below");
        Directory.CreateDirectory(below);
        File.WriteAllText(Path.Combine(shared, "given"), "from the host");
        File.WriteAllText(file, "a file");
        TestBundle bundle = on.NewBundle("1.1.0")
            .Mount("/tmpfs", "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "size=1m", "mode=0711")
            .Mount("/made/by/runtime", "bind", shared, "rbind", "rw")
            .Mount("/readonly", "bind", shared, "bind", "ro")
            .Mount("/recursive", "bind", shared, "rbind", "rro")
            .Mount("/plain", "bind", shared, "rbind", "ro")
            .Mount("/etc/one", "bind", file, "bind", "ro")
            .Mount("/order", "tmpfs", "tmpfs")
            .Mount("/order/inner", "bind", shared, "bind")
            .Mount("/relative", "bind", "data", "bind");
        Directory.CreateDirectory(Path.Combine(bundle.Directory, "data"));
        File.WriteAllText(Path.Combine(bundle.Directory, "data/x"), "below the bundle");
        await HostAsync("mount", "-t", "tmpfs", "tmpfs", below);
        try
        {
            IReadOnlyDictionary<string, string> values = await on.RunScriptAsync(bundle, """
                try() { if "$@" 2>/dev/null; then echo yes; else echo no; fi; }
                options() { sed -n "s|^[^/]*/[^ ]* $1 \([^ ]*\) .*|\1|p" /proc/self/mountinfo; }
                echo "tmpfs=$(options /tmpfs)"; echo "mode=$(stat -c %a /tmpfs)"
                echo "fit=$(try dd if=/dev/zero of=/tmpfs/big bs=1M count=2)"
                echo "given=$(cat /made/by/runtime/given)"; echo "write=$(try touch /made/by/runtime/new)"
                echo "readonly=$(try touch /readonly/no)"; echo "read=$(cat /readonly/given)"
                echo "recursive=$(try touch /recursive/no)$(try touch /recursive/below/no)"
                echo "plain=$(try touch /plain/no)$(try touch /plain/below/no)"
                echo "file=$(cat /etc/one)"; echo "order=$(cat /order/inner/given)"; echo "relative=$(cat /relative/x)"
                echo "root=$(try touch /written)"
                echo "propagation=$(sed -n 's|^[^/]*/[^ ]* / [^ ]* \(.*\) - .*|\1|p' /proc/self/mountinfo)"
                """);

            string tmpfs = values.GetValueOrDefault("tmpfs", "");
            on.That("tmpfs with nosuid, nodev and noexec", new[] { "nosuid", "nodev", "noexec" }.All(tmpfs.Split(',').Contains), tmpfs);
            on.Same("tmpfs with a mode", values, "mode", "711");
            on.Same("tmpfs with a size", values, "fit", "no");
            on.Same("a bind mount shows the host's files", values, "given", "from the host");
            on.That("a destination that is missing is made", values.GetValueOrDefault("write") == "yes");
            on.That("a bind mount passes writes on", File.Exists(Path.Combine(shared, "new")));
            on.Same("a bind mount with ro cannot be written", values, "readonly", "no");
            on.Same("a bind mount with ro can be read", values, "read", "from the host");
            on.Same("rro covers the mounts below", values, "recursive", "nono");
            on.Same("ro leaves the mounts below alone", values, "plain", "noyes");
            on.Same("a bind mount of a file", values, "file", "a file");
            on.Same("mounts are made in the listed order", values, "order", "from the host");
            on.Same("a relative source is below the bundle", values, "relative", "below the bundle");
            on.Same("root is writable unless readonly", values, "root", "yes");
            on.That(
                "root.propagation is private by default",
                !values.GetValueOrDefault("propagation", "shared:").Contains("shared:", StringComparison.Ordinal),
                values.GetValueOrDefault("propagation"));
        }
        finally
        {
            await HostAsync("umount", "--lazy", below);
        }

        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Root_Readonly_CannotBeWritten(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Root and mounts");
        TestBundle bundle = on.NewBundle();
        bundle.Config["root"]!["readonly"] = true;
        bundle.Linux["rootfsPropagation"] = "shared";
        IReadOnlyDictionary<string, string> values = await on.RunScriptAsync(bundle, """
            if touch /written 2>/dev/null; then echo root=yes; else echo root=no; fi
            echo "propagation=$(sed -n 's|^[^/]*/[^ ]* / [^ ]* \(.*\) - .*|\1|p' /proc/self/mountinfo)"
            """);
        on.Same("root.readonly", values, "root", "no");
        on.That(
            "linux.rootfsPropagation shared",
            values.GetValueOrDefault("propagation", "").Contains("shared:", StringComparison.Ordinal),
            values.GetValueOrDefault("propagation"));
        on.Finish();
    }

    private static async Task HostAsync(string command, params string[] arguments)
    {
        using RunningCommand running = RunningCommand.Start(command, arguments);
        (await running.FinishAsync(default, TimeSpan.FromSeconds(20))).Ok();
    }
}
