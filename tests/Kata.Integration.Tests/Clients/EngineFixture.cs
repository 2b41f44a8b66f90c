using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary>
/// A real container engine with folders of its own whose runtime is <c>kata-runtime</c>, by way of a script that gives it the fixture's
/// configuration: engines know no such flag. There is an image called <see cref="Image"/> with busybox.
/// </summary>
public abstract class EngineFixture : RuntimeFixture
{
    internal const string Image = "kata-test:1";

    private int _serial;

    /// <summary>What the engine is given as its runtime.</summary>
    internal string RuntimeScript => Path.Combine(DirectoryPath, "kata");

    /// <summary>Why the engine cannot run here, or null.</summary>
    private protected abstract string? EngineProblem { get; }

    /// <summary>What the script gives the runtime. The log is the engine's to choose: it reads the reason of a failure there.</summary>
    private protected virtual string[] RuntimeOptions => ["--kata-config", ConfigurationFile];

    /// <summary>The command that runs the engine's.</summary>
    private protected virtual string[] Launcher => [];

    /// <summary>The network of containers that are started without a word on it.</summary>
    private protected virtual string[] ContainerNetwork => ["--network", "none"];

    /// <summary>How a container is removed at once, without a stop that is waited for.</summary>
    private protected virtual string[] RemoveOptions => ["--force"];

    /// <summary>While this file exists, the number in it is all the descriptors that the runtime's commands may have.</summary>
    private string DescriptorLimitFile => Path.Combine(DirectoryPath, "descriptors");

    internal void RequireEngine()
    {
        Require();
        Assert.SkipWhen(EngineProblem is not null, EngineProblem ?? "");
    }

    /// <summary>A name that no other container of the engine has.</summary>
    internal string NewName() => $"c{Interlocked.Increment(ref _serial)}";

    internal async Task<CommandResult> EngineAsync(params string[] arguments)
    {
        (string program, string[] all) = CommandLine(arguments);
        using RunningCommand command = RunningCommand.Start(program, all);
        return await command.FinishAsync(default, Limit);
    }

    /// <summary>Runs a program in a container of its own, and removes the container.</summary>
    internal Task<CommandResult> RunContainerAsync(string[] options, params string[] program) =>
        EngineAsync(["run", "--rm", .. ContainerNetwork, .. options, Image, .. program]);

    /// <summary>Starts a container in the background and returns its name.</summary>
    internal async Task<string> StartContainerAsync(string[] options, params string[] program)
    {
        string name = NewName();
        (await EngineAsync(["run", "--detach", .. ContainerNetwork, "--name", name, .. options, Image, .. program])).Ok();
        return name;
    }

    /// <summary>The process of ours whose command line begins with a text and names a container.</summary>
    internal static int ProcessOf(string id, string beginning) => CommandLines().First(process =>
        process.Text.StartsWith(beginning, StringComparison.Ordinal) && process.Text.Contains(id, StringComparison.Ordinal)).Pid;

    /// <summary>How many machines run for the given containers.</summary>
    internal static int MachinesOf(params string[] ids) => CommandLines().Count(process =>
        process.Text.StartsWith("qemu ", StringComparison.Ordinal) && ids.Any(id => process.Text.Contains(id, StringComparison.Ordinal)));

    internal Task<CommandResult> RemoveAsync(string name) => EngineAsync(["rm", .. RemoveOptions, name]);

    /// <summary>Removes whatever a test that failed has left, in the engine and below it: the next one begins without it.</summary>
    internal async Task RemoveEverythingAsync()
    {
        await RemovePodsAsync();
        foreach (string id in (await EngineAsync("ps", "--all", "--quiet", "--no-trunc")).Lines.Where(static line => line.Length > 0))
        {
            await RemoveAsync(id);
        }

        string claims = Path.Combine(Root, "@containers");
        foreach (string claim in Directory.Exists(claims) ? Directory.GetFileSystemEntries(claims) : [])
        {
            await RunAsync("delete", "--force", Path.GetFileName(claim));
        }
    }

    /// <summary>Removes pods, where the engine knows them: their own containers do not go without them.</summary>
    private protected virtual Task RemovePodsAsync() => Task.CompletedTask;

    /// <summary>Until disposed of, containers are created with more keys of the table <c>[kata]</c>, which replace the fixture's.</summary>
    internal IDisposable Configure(string keys)
    {
        string before = File.ReadAllText(ConfigurationFile);
        string[] names = [.. keys.Split('\n').Select(static line => line.Split(" = ")[0])];
        File.WriteAllText(
            ConfigurationFile, string.Join('\n', before.Split('\n').Where(line => !names.Contains(line.Split(" = ")[0]))) + "\n" + keys);
        return new Undo(() => File.WriteAllText(ConfigurationFile, before));
    }

    /// <summary>Until disposed of, the runtime's commands may have no more descriptors than this.</summary>
    internal IDisposable LimitDescriptors(int count)
    {
        File.WriteAllText(DescriptorLimitFile, $"{count}");
        return new Undo(() => File.Delete(DescriptorLimitFile));
    }

    /// <summary>The same as <see cref="RuntimeFixture.AssertCleanAsync"/> while a test has mounted something on the state root.</summary>
    internal async Task AssertCleanExceptMountAsync()
    {
        HostSnapshot now = Snapshot();
        using var limit = new CancellationTokenSource(Limit);
        foreach ((int pid, string _) in now.Processes)
        {
            await HostProcess.EndedAsync(pid, limit.Token);
        }

        (Snapshot() with { Mounts = [] }).AssertEmpty();
    }

    /// <summary>The engine's program and all its arguments for a command.</summary>
    internal abstract (string Program, string[] Arguments) CommandLine(string[] arguments);

    private protected override async Task PrepareAsync()
    {
        if (EngineProblem is not null)
        {
            return;
        }

        string globals = string.Join(' ', RuntimeOptions.Select(static option => $"'{option}'"));
        await File.WriteAllTextAsync(
            RuntimeScript,
            $"#!/bin/sh\n[ ! -e '{DescriptorLimitFile}' ] || ulimit -n \"$(cat '{DescriptorLimitFile}')\"\n"
            + $"exec '{RuntimePath}' {globals} \"$@\"\n");
        File.SetUnixFileMode(RuntimeScript, (UnixFileMode)0x1ed /* 0755 */);
        await StartEngineAsync();
        string archive = Path.Combine(DirectoryPath, "image.tar");
        using (RunningCommand tar = RunningCommand.Start("/bin/tar", ["-C", RootFs, "-cf", archive, "."]))
        {
            (await tar.FinishAsync(default, Limit)).Ok();
        }

        (await EngineAsync("import", archive, Image)).Ok();
    }

    /// <summary>Starts what the engine needs.</summary>
    private protected virtual Task StartEngineAsync() => Task.CompletedTask;

    private static IEnumerable<(int Pid, string Text)> CommandLines()
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out int pid))
            {
                string text;
                try
                {
                    // A process of the pool has another name than its pod; their control group does not.
                    text = File.ReadAllText($"{directory}/cmdline").Replace('\0', ' ');
                    text = text.Length > 0 ? text + File.ReadAllText($"{directory}/cgroup") : text;
                }
                catch (IOException)
                {
                    continue; // it ended while we looked
                }

                yield return (pid, text);
            }
        }
    }

    private sealed class Undo(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
