using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Kata.Bench;

/// <summary>
/// The same kernel, image and command line without any of us: QEMU started directly, and a shell script as PID 1 that says so on
/// the console. The script and its busybox are a second archive behind the image, which the kernel unpacks over the first.
/// </summary>
internal sealed class BareGuest : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly Workspace _workspace;
    private readonly string _folder;
    private readonly string _image;
    private readonly string[] _processor; // -accel, -cpu and -smp, as the pods have them
    private readonly string _parameters;

    public BareGuest(Workspace workspace)
    {
        _workspace = workspace;
        string[] pod = workspace.PodCommandLine();
        _processor = [.. new[] { "-accel", "-cpu", "-smp" }.SelectMany(option => new[] { option, After(pod, option) })];
        _parameters = After(pod, "-append");
        _folder = Directory.CreateTempSubdirectory("kata-bare-").FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "over", "bin"));
        File.Copy("/bin/busybox", Path.Combine(_folder, "over", "bin", "busybox"));
        string init = Path.Combine(_folder, "over", "init");
        File.WriteAllText(init, """
            #!/bin/busybox sh
            echo FIRST-PROCESS
            b=/bin/busybox
            $b mkdir -p /proc /sys /dev; $b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev
            case $($b cat /proc/cmdline) in *bench.chunks=*) ;; *) $b poweroff -f ;; esac
            chunks=$($b sed -n 's/.*bench.chunks=\([0-9]*\).*/\1/p' /proc/cmdline)
            while read -r module; do [ -n "$module" ] && $b insmod "$module" 2>/dev/null; done < /etc/kata/modules
            until $b ls /dev/vport*p1 >/dev/null 2>&1; do :; done
            echo CHANNEL-OPEN
            $b dd if=/dev/zero bs=64k count="$chunks" 2>/dev/null | $b dd of="$(echo /dev/vport*p1)" bs=64k 2>/dev/null
            $b sleep 60
            """);
        File.SetUnixFileMode(init, (UnixFileMode)0x1ed);
        _image = MakeImage(workspace, _folder);
    }

    /// <summary>Seconds from QEMU's start to the first line of PID 1.</summary>
    public double TimeToFirstProcess()
    {
        long start = Stopwatch.GetTimestamp();
        using Process machine = Start("", []);
        WaitFor(machine, "FIRST-PROCESS");
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        machine.Kill();
        machine.WaitForExit();
        return seconds;
    }

    /// <summary>What dd gets through one pipe of the guest and a virtio-serial port into a socket here.</summary>
    public double ChannelMegaBytesPerSecond(int chunks)
    {
        string path = Path.Combine(_folder, "channel");
        File.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        using Process machine = Start(
            string.Create(CultureInfo.InvariantCulture, $"bench.chunks={chunks}"),
            [
                "-device", "virtio-serial-pci", "-chardev", $"socket,id=c,path={path}",
                "-device", "virtserialport,chardev=c,name=agent.channel.0",
            ]);
        using Socket channel = listener.Accept();
        WaitFor(machine, "CHANNEL-OPEN");
        double rate = Throughput.Rate((buffer, offset, length) => channel.Receive(buffer, offset, length, SocketFlags.None));
        machine.Kill();
        machine.WaitForExit();
        return rate;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Makes an image of the guest's own and what <c>over</c> in a folder has beside it, and returns its path.</summary>
    internal static string MakeImage(Workspace workspace, string folder)
    {
        string over = Path.Combine(folder, "over.cpio");
        workspace.Time("/bin/sh", ["-c", $"cd '{folder}/over' && find . | cpio --quiet -o -H newc > '{over}'"]);
        string path = Path.Combine(folder, "image");
        using FileStream image = File.Create(path);
        foreach (string part in new[] { Path.Combine(workspace.Artifacts, "share/kata-containers/kata-containers-initrd.img"), over })
        {
            using FileStream source = File.OpenRead(part);
            source.CopyTo(image);
            image.Write(new byte[(4 - (int)(image.Length % 4)) % 4]);
        }

        return path;
    }

    /// <summary>Waits until a machine's console says something.</summary>
    internal static void WaitFor(Process machine, string line)
    {
        using var limit = new CancellationTokenSource(s_limit);
        var seen = new StringBuilder();
        while (machine.StandardOutput.ReadLineAsync(limit.Token).AsTask().GetAwaiter().GetResult() is { } text)
        {
            seen.AppendLine(text);
            if (text.Contains(line, StringComparison.Ordinal))
            {
                return;
            }
        }

        throw new InvalidOperationException($"The bare guest never said '{line}':\n{seen}");
    }

    private Process Start(string extra, string[] devices)
    {
        return Process.Start(new ProcessStartInfo("/usr/bin/qemu-system-x86_64",
        [
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-machine", "q35", .. _processor,
            "-m", "2048", "-serial", "stdio", "-kernel", _workspace.Kernel, "-initrd", _image,
            "-append", $"{_parameters} {extra}", .. devices,
        ])
        { RedirectStandardOutput = true, RedirectStandardInput = true })!;
    }

    private static string After(string[] arguments, string option) => arguments[Array.IndexOf(arguments, option) + 1];
}
