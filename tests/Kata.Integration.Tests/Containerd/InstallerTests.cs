using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containerd;

/// <summary>
/// The script of the DaemonSet, on a node that is this machine under an overlay: its containerd judges the configuration. The cluster
/// (<c>kubectl</c>) and the node's systemd are scripts that write down what they are asked.
/// </summary>
public sealed class InstallerTests : IDisposable
{
    private const string Config =
        "version = 2\n# the node's own\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"example.org/pause:1\"\n";

    // In a mount namespace of its own: whatever happens, no mount is left.
    private const string Node = """
        set -eu
        cd "$1"
        mkdir -p disk bin
        mount -t tmpfs tmpfs disk
        mkdir disk/upper disk/work disk/node
        mount -t overlay -o lowerdir=/,upperdir=disk/upper,workdir=disk/work overlay disk/node
        mount -t proc proc disk/node/proc
        mount --rbind /dev disk/node/dev
        mount -t tmpfs tmpfs disk/node/run
        cat > disk/node/etc/containerd/config.toml < config.toml
        printf '#!/bin/sh\necho "$*" >> /run/systemctl.log\ntest ! -e /run/broken\n' > disk/node/usr/local/sbin/systemctl
        chmod +x disk/node/usr/local/sbin/systemctl
        printf '#!/bin/sh\necho "$*" >> "%s/kubectl.log"\ncase $1 in get) cat "%s/answer" >&2; exit 1;; esac\n' "$1" "$1" > bin/kubectl
        chmod +x bin/kubectl
        DESTDIR=$1/image PREFIX=/opt/kata "$2/scripts/install" > /dev/null
        export PATH=$1/bin:$PATH NODE_NAME=n1 KATA_HOST=$1/disk/node KATA_ENTER="chroot $1/disk/node"
        export KATA_SOURCE=$1/image/opt/kata KATA_READY=$1/ready
        run() { "$2/deploy/installer/kata-deploy" "$1"; }
        install() {
          rm -f ready
          "$2/deploy/installer/kata-deploy" install > out 2>&1 & pid=$!
          until [ -e ready ]; do kill -0 $pid || return 1; sleep 0.1; done
          kill $pid
        }
        node() { chroot disk/node "$@"; }

        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kata-it-");

    public InstallerTests() => ContainerdFixture.RequireContainerd();

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Install_ThenDaemonSetDeleted_LeavesTheNodeAsItWas()
    {
        CommandResult result = await RunAsync("""
            install "$@"
            cat out
            cp disk/node/run/systemctl.log first.log
            node /opt/kata/bin/kata-runtime --version | head -1
            node containerd config dump | grep -e 'runtime_path = "/opt' -e ConfigPath -e sandbox_image
            install "$@"
            cmp disk/node/run/systemctl.log first.log
            echo 'connection refused' > answer
            run stop "$2"
            test -e disk/node/opt/kata/bin/kata-runtime
            echo 'Error from server (NotFound): daemonsets.apps "kata-installer" not found' > answer
            run stop "$2"
            cmp disk/node/etc/containerd/config.toml config.toml
            test ! -e disk/node/opt/kata/bin
            cat disk/node/run/systemctl.log kubectl.log disk/node/var/log/kata-deploy.log
            """);
        string[] lines = result.Ok().Lines;
        Assert.Contains("kata-deploy: pods with the RuntimeClass run on 'n1' now", lines);
        Assert.Contains(
            lines, static line => line.Contains("runtime_path = \"/opt/kata/bin/containerd-shim-kata-v2\"", StringComparison.Ordinal));
        Assert.Contains(lines, static line =>
            line.Contains("ConfigPath = \"/opt/kata/share/defaults/kata-containers/configuration.toml\"", StringComparison.Ordinal));
        Assert.Contains(lines, static line => line.Contains("sandbox_image = \"example.org/pause:1\"", StringComparison.Ordinal));
        Assert.Equal(
            ["restart containerd", "restart --no-block containerd"],
            lines.Where(static line => line.StartsWith("restart ", StringComparison.Ordinal)));
        Assert.Equal(2, lines.Count(static line => line == "label --overwrite node n1 katacontainers.io/kata-runtime=true"));
        Assert.Single(lines, static line => line == "label --overwrite node n1 katacontainers.io/kata-runtime-");
        Assert.Contains("kata-deploy: a restart: 'n1' keeps everything", lines);
        Assert.Contains("kata-deploy: removed from 'n1'", lines);
    }

    [Fact]
    public async Task Install_ContainerdThatDoesNotComeUp_GetsItsConfigurationBack()
    {
        CommandResult result = await RunAsync("""
            touch disk/node/run/broken
            if install "$@"; then exit 1; fi
            cmp disk/node/etc/containerd/config.toml config.toml
            test ! -e kubectl.log
            cat out
            """);
        Assert.Contains(
            "Cannot restart 'containerd' on the node 'n1' with the new configuration", result.Ok().Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_NodeWithoutTheHypervisor_IsNotLabelled()
    {
        CommandResult result = await RunAsync("""
            rm -f disk/node/usr/bin/qemu-system-x86_64
            if install "$@"; then exit 1; fi
            cmp disk/node/etc/containerd/config.toml config.toml
            test ! -e kubectl.log
            cat out
            """);
        Assert.Contains("qemu-system-x86_64", result.Ok().Text, StringComparison.Ordinal);
        Assert.Contains("Cannot run containers on the node 'n1'", result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_WithDirectoriesOfNetworkPlugins_LinksOursThereAndTakesItsOwnBack()
    {
        CommandResult result = await RunAsync("""
            export DESTDIR=$1/tree PREFIX=/usr/local
            mkdir -p tree/opt/cni/bin tree/usr/lib/cni
            echo mine > tree/usr/lib/cni/kata-cni
            for _ in once again; do "$2/scripts/install" > /dev/null; done
            readlink tree/opt/cni/bin/kata-cni tree/usr/local/bin/kata-cni
            PREFIX=/elsewhere "$2/scripts/install" --remove > /dev/null
            readlink tree/opt/cni/bin/kata-cni
            "$2/scripts/install" --remove > /dev/null
            find tree -name 'kata-*' -type l
            cat tree/usr/lib/cni/kata-cni
            """);
        Assert.Equal(["/usr/local/bin/kata-runtime", "kata-runtime", "/usr/local/bin/kata-runtime", "mine"], result.Ok().Lines);
    }

    private async Task<CommandResult> RunAsync(string script)
    {
        string repository = Path.GetFullPath("../..", Path.GetDirectoryName(RuntimeFixture.RuntimePath!)!);
        Assert.SkipUnless(
            File.Exists(Path.Combine(repository, "artifacts/share/man/man8/kata-runtime.8")), "needs everything that 'make' builds");
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "config.toml"), Config, TestContext.Current.CancellationToken);
        using RunningCommand command = RunningCommand.Start(
            "/usr/bin/unshare", ["--mount", "/bin/bash", "-c", Node + script, "node", _directory.FullName, repository]);
        return await command.FinishAsync(default, RuntimeFixture.Limit);
    }
}
