using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Conformance.Harness;

/// <summary>
/// One runtime put to one section's expectations: a state root, bundles and containers of its own. A container is dear in a virtual
/// machine, so many expectations are read from one; each is recorded by its own name, and all of them are judged at the end.
/// </summary>
internal sealed class ConformanceCase : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);
    private static int s_cases;

    private readonly OciRuntime _runtime;
    private readonly string _section;
    private readonly List<string> _ids = [];
    private readonly List<string> _failures = [];
    private int _bundles;

    private ConformanceCase(OciRuntime runtime, string section)
    {
        (_runtime, _section) = (runtime, section);
        Directory = System.IO.Directory.CreateTempSubdirectory("kata-conformance-").FullName;
        File.WriteAllText(
            Path.Combine(Directory, "configuration.toml"),
            "[hypervisor.qemu]\ndefault_memory = 256\n[kata]\nboot_timeout = 240\nrequest_timeout = 120\n");
    }

    public string Directory { get; }

    public static ConformanceCase Begin(string runtime, string section)
    {
        OciRuntime chosen = OciRuntime.Of(runtime);
        Assert.SkipWhen(chosen.Problem is not null, $"{runtime}: {chosen.Problem}");
        return new ConformanceCase(chosen, section);
    }

    /// <summary>A bundle with a root file system of its own.</summary>
    public TestBundle NewBundle(string version = "1.0.2")
    {
        var bundle = new TestBundle(Path.Combine(Directory, string.Create(CultureInfo.InvariantCulture, $"bundle-{_bundles++}")));
        RootFileSystem.Create(Path.Combine(bundle.Directory, "rootfs"));
        bundle.Config["ociVersion"] = version;
        return bundle;
    }

    public string NewId()
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"conf{Environment.ProcessId}-{Interlocked.Increment(ref s_cases)}");
        _ids.Add(id);
        return id;
    }

    /// <summary>One command to its end.</summary>
    public async Task<CommandResult> RunAsync(params string[] arguments)
    {
        using RunningCommand command = Start(arguments);
        return await command.FinishAsync(default, s_limit);
    }

    /// <summary>One command; a container that it creates keeps its streams.</summary>
    public RunningCommand Start(params string[] arguments)
    {
        (string path, string[] all) = _runtime.Command(Directory, arguments);
        return RunningCommand.Start(path, all);
    }

    /// <summary>Runs the bundle's program to its end.</summary>
    public Task<CommandResult> RunContainerAsync(TestBundle bundle) => RunAsync("run", "--bundle", bundle.Write(), NewId());

    /// <summary>Runs a shell script in a container and returns the <c>name=value</c> lines that it wrote.</summary>
    public async Task<IReadOnlyDictionary<string, string>> RunScriptAsync(TestBundle bundle, string script)
    {
        if (bundle.Process["args"]!.AsArray() is not [_, _, ..] || bundle.Process["args"]![1]!.GetValue<string>() != "-c")
        {
            bundle.Shell(script);
        }

        CommandResult result = await RunContainerAsync(bundle);
        That("the container runs", result.ExitCode == 0, $"status {result.ExitCode}, {result.Error}", record: false);
        return Parse(result.Text);
    }

    /// <summary>Creates a container whose output can be read; returns once the command has ended.</summary>
    public async Task<(CommandResult Result, RunningCommand Container)> CreateAsync(TestBundle bundle, string id, params string[] options)
    {
        // The command's own pipes end with the container; its exit is what tells that create is done.
        RunningCommand command = Start(["create", "--bundle", bundle.Write(), .. options, id]);
        int code = await command.ExitAsync(s_limit);
        return (new CommandResult(code, [], code == 0 ? "" : await command.ErrorAsync(s_limit)), command);
    }

    /// <summary>The next line that the container writes, or null at its end.</summary>
    public static async Task<string?> ReadLineAsync(RunningCommand container)
    {
        var line = new StringBuilder();
        byte[] one = new byte[1];
        while (await container.Output.ReadAsync(one).AsTask().WaitAsync(s_limit) > 0)
        {
            if (one[0] == '\n')
            {
                return line.ToString();
            }

            line.Append((char)one[0]);
        }

        return line.Length > 0 ? line.ToString() : null;
    }

    public async Task<JsonObject?> StateAsync(string id)
    {
        CommandResult result = await RunAsync("state", id);
        return result.ExitCode == 0 ? JsonNode.Parse(result.Text)!.AsObject() : null;
    }

    /// <summary>Records whether an expectation is met; <paramref name="seen"/> is shown when it is not.</summary>
    public void That(string expectation, bool met, string? seen = null, bool record = true)
    {
        bool waived = Waivers.All.ContainsKey((_runtime.Name, expectation));
        if (record)
        {
            ResultTable.Record(_section, expectation, _runtime.Name, met);
        }

        if (!met && !waived)
        {
            _failures.Add($"not met: {expectation}; seen: {seen}");
        }
        else if (met && waived)
        {
            _failures.Add($"stale waiver, remove it: {_runtime.Name} | {expectation}");
        }
    }

    /// <summary>That a script's value is what it should be.</summary>
    public void Same(string expectation, IReadOnlyDictionary<string, string> values, string name, string expected) =>
        That(
            expectation,
            values.GetValueOrDefault(name) == expected,
            $"{name}={values.GetValueOrDefault(name, "(nothing)")}, wanted {expected}");

    /// <summary>Fails the test with everything that was not met and not waived.</summary>
    public void Finish() => Assert.True(_failures.Count == 0, string.Join('\n', _failures));

    public async ValueTask DisposeAsync()
    {
        foreach (string id in _ids)
        {
            await RunAsync("delete", "--force", id); // most are gone already
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static Dictionary<string, string> Parse(string text)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n'))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                result[line[..equals]] = line[(equals + 1)..].TrimEnd();
            }
        }

        return result;
    }
}
