using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kata.Bench;

/// <summary>A private folder with a busybox bundle, a state root and logs. Disposing removes it.</summary>
internal sealed class Workspace : IDisposable
{
    /// <summary>For one command: none takes as long unless it hangs.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("kata-bench-").FullName;
    private int _serial;

    public Workspace(string artifacts)
    {
        Artifacts = artifacts;
        Directory.CreateDirectory(Path.Combine(_folder, "rootfs", "bin"));
        foreach (string name in new[] { "proc", "sys", "dev", "tmp", "etc" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, "rootfs", name));
        }

        File.Copy("/bin/busybox", Path.Combine(_folder, "rootfs", "bin", "busybox"));
        foreach (string applet in Capture("/bin/busybox", ["--list"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (applet != "busybox")
            {
                File.CreateSymbolicLink(Path.Combine(_folder, "rootfs", "bin", applet), "busybox");
            }
        }

        Capture("/usr/sbin/runc", ["spec", "--bundle", _folder]);
    }

    public string Artifacts { get; }

    public string Runtime => Path.Combine(Artifacts, "bin", "kata-runtime");

    public string Kernel => Path.Combine(Artifacts, "share/kata-containers/vmlinuz.container");

    public string Folder => _folder;

    public string Log => Path.Combine(_folder, "log");

    public string NewId() => string.Create(CultureInfo.InvariantCulture, $"bench{++_serial}");

    /// <summary>Makes config.json run <paramref name="program"/> without a terminal.</summary>
    public void SetProgram(params string[] program)
    {
        string path = Path.Combine(_folder, "config.json");
        JsonNode spec = JsonNode.Parse(File.ReadAllText(path))!;
        spec["process"]!["terminal"] = false;
        spec["root"]!["readonly"] = false;
        spec["process"]!["args"] = new JsonArray([.. program.Select(word => (JsonNode)word)]);
        File.WriteAllText(path, spec.ToJsonString());
    }

    /// <summary>The configuration that commands name; null for the usual one.</summary>
    public string? Configuration { get; set; }

    public string[] Kata(params string[] arguments) =>
    [
        "--root", Path.Combine(_folder, "state"), "--log", Log, .. Configuration is { } path ? new[] { "--kata-config", path } : [],
        .. arguments,
    ];

    public string[] Runc(params string[] arguments) => ["--root", Path.Combine(_folder, "runc"), .. arguments];

    /// <summary>Runs a program to its end and returns how long it took in seconds.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="arguments">Those after its name.</param>
    /// <param name="keepInput">Whether its input stays open until it ends, as ctr needs it.</param>
    public double Time(string program, string[] arguments, bool keepInput = false)
    {
        long start = Stopwatch.GetTimestamp();
        (int code, string _, string error) = Capture(program, arguments, keepInput);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return code == 0 ? seconds
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {code}: {error}");
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="TimeoutException">It does not end; the text says which, and it is killed.</exception>
    public (int Code, string Output, string Error) Capture(string program, IReadOnlyList<string> arguments, bool keepInput = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        if (!keepInput)
        {
            process.StandardInput.Close();
        }

        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(
                $"{program} {string.Join(' ', arguments)} has not ended within {s_limit.TotalSeconds} s. "
                    + "Look whether what it talks to still answers");
        }

        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a detached container; its streams are /dev/null so that nothing waits for it.</summary>
    public void StartDetached(string runtime, string[] arguments) =>
        Time("/bin/sh", ["-c", "exec \"$0\" \"$@\" < /dev/null > /dev/null 2>&1", runtime, .. arguments]);

    /// <summary>The process of a living pod's service.</summary>
    public int ServicePid(string id)
    {
        using JsonDocument state = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "state", id, "state.json")));
        return state.RootElement.GetProperty("service").GetProperty("pid").GetInt32();
    }

    /// <summary>The process of a living pod's QEMU.</summary>
    public int MachinePid(string id)
    {
        // The brackets keep the search from finding itself.
        string processes = Capture("/bin/sh", ["-c", $"grep -lsza 'guest=[s]andbox-{id},' /proc/[0-9]*/cmdline || true"]).Output;
        return int.Parse(processes.Split('\n')[0].Split('/')[2], CultureInfo.InvariantCulture);
    }

    /// <summary>The arguments of a process.</summary>
    public static string[] CommandLine(int pid) => File.ReadAllText($"/proc/{pid}/cmdline").TrimEnd('\0').Split('\0');

    /// <summary>The arguments of a pod's QEMU.</summary>
    public string[] PodCommandLine()
    {
        string id = NewId();
        SetProgram("/bin/sleep", "100000");
        StartDetached(Runtime, Kata("run", "--detach", id));
        try
        {
            return CommandLine(MachinePid(id));
        }
        finally
        {
            Time(Runtime, Kata("delete", "--force", id));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
