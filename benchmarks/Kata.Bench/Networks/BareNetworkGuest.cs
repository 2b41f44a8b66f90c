using System.Diagnostics;
using System.Globalization;

namespace Kata.Bench.Networks;

/// <summary>
/// The same guest on a tap made by hand: the pod's kernel, image, board, processors, memory and card, but QEMU started directly, without
/// a jail or anybody else's process beside it; a shell script as PID 1, which runs the same programs in the same root file system, and in
/// a control group, as what a socket holds counts for that; and a tap that is itself a port of the bridge, without a link or a redirection
/// in between. It is in the pod's control group of processors, as only one of them works at a time: what else the machine does takes as
/// much from the one as from the other. Disposing ends it.
/// </summary>
internal sealed class BareNetworkGuest : IDisposable
{
    private const string Tap = "baretap";
    private const string HardwareAddress = "02:88:00:00:00:0b";

    private readonly Process _machine;

    /// <param name="workspace">Where it lies.</param>
    /// <param name="bridge">What it is a port of.</param>
    /// <param name="bundle">Whose programs it runs.</param>
    /// <param name="rival">The pod's QEMU that it is compared with, whose pod outlives this.</param>
    public BareNetworkGuest(Workspace workspace, BenchBridge bridge, NetworkBundle bundle, int rival)
    {
        string[] pod = Workspace.CommandLine(rival);
        Address = bridge.AddTap(Tap, BareCommandLine.QueuesOf(pod) > 1);
        string folder = Directory.CreateDirectory(Path.Combine(workspace.Folder, "bare-network")).FullName;
        string over = Directory.CreateDirectory(Path.Combine(folder, "over", "bin")).Parent!.FullName;
        File.Copy("/bin/busybox", Path.Combine(over, "bin", "busybox"));
        workspace.Time("/bin/sh", ["-c", $"cp -a '{bundle.RootFileSystem}' '{over}/root'"]);
        string init = Path.Combine(over, "init");
        File.WriteAllText(init, $$"""
            #!/bin/busybox sh
            b=/bin/busybox
            $b mkdir -p /proc /sys /dev; $b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev
            while read -r module; do [ -n "$module" ] && $b insmod "$module" 2>/dev/null; done < /etc/kata/modules
            for module in failover net_failover virtio_net; do
              $b insmod /usr/lib/modules/$module.ko
            done
            until [ -e /sys/class/net/eth0 ]; do :; done
            $b ip link set lo up; $b ip addr add {{Address}}/24 dev eth0; $b ip link set eth0 up
            $b mount --bind /proc /root/proc; $b mount --bind /dev /root/dev
            $b mkdir /group; $b mount -t cgroup2 group /group; echo "+cpu +io +memory +pids" > /group/cgroup.subtree_control
            $b mkdir /group/server; echo $$ > /group/server/cgroup.procs
            echo CARD-READY
            exec $b chroot /root {{string.Join(' ', NetworkBundle.Serve)}}

            """);
        File.SetUnixFileMode(init, (UnixFileMode)0x1ed);
        string image = BareGuest.MakeImage(workspace, folder);
        _machine = Process.Start(new ProcessStartInfo(BenchBridge.NsEnter,
        [
            .. bridge.Within("wire", "/usr/bin/qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-serial", "stdio", "-kernel", workspace.Kernel, "-initrd", image, .. BareCommandLine.Of(pod, Tap, HardwareAddress),
        ])
        { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        try
        {
            JoinProcessorGroup(_machine.Id, rival);
            BareGuest.WaitFor(_machine, "CARD-READY");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is on the bridge's network.</summary>
    public string Address { get; }

    /// <summary>The process of its QEMU.</summary>
    public int Pid => _machine.Id;

    public void Dispose()
    {
        _machine.Kill();
        _machine.WaitForExit();
        _machine.Dispose();
    }

    // Of version 1 there is one for processors, of version 2 one for all.
    private static void JoinProcessorGroup(int process, int other)
    {
        foreach (string line in File.ReadLines($"/proc/{other}/cgroup"))
        {
            string[] fields = line.Split(':', 3); // a number, the controllers, the path
            string? parent = fields[1].Split(',').Contains("cpu") ? "/sys/fs/cgroup/cpu"
                : fields[1].Length == 0 ? "/sys/fs/cgroup"
                : null;
            if (parent is not null && File.Exists($"{parent}{fields[2]}/cgroup.procs"))
            {
                File.WriteAllText($"{parent}{fields[2]}/cgroup.procs", process.ToString(CultureInfo.InvariantCulture));
            }
        }
    }
}
