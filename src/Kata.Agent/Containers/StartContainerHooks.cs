using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Kata.Agent.Processes;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Specifications;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Containers;

/// <summary>
/// A container's <c>startContainer</c> hooks: run one after the other in the created container, as the user and with the rights of
/// its program. They are processes of <c>crun exec</c>, because crun's own running of them tells nobody how they ended and gives
/// them a state of the guest's making: the bundle there is not the caller's.
/// </summary>
internal sealed class StartContainerHooks
{
    private const int OutputLimit = 2 * 1024; // of a hook's output, in the error text

    private readonly Hook[] _hooks;
    private readonly Process _process;
    private readonly string _version;
    private readonly string _bundle;
    private readonly KeyValuePair<string, string>[] _annotations;
    private readonly bool _ownPidNamespace;

    private StartContainerHooks(Spec spec, ContainerExtension? extension)
    {
        _hooks = [.. spec.Hooks.StartContainer];
        _process = spec.Process; // as it is when they run: the user may still be a name
        _version = spec.Version;
        _bundle = extension?.Bundle ?? "";
        _annotations = [.. spec.Annotations];
        _ownPidNamespace = extension is null || extension.Namespaces.GetValueOrDefault("pid", "").Length == 0;
    }

    /// <summary>Takes them out of the specification, so that crun does not run them a second time; null when there are none.</summary>
    public static StartContainerHooks? TakeFrom(Spec spec, ContainerExtension? extension)
    {
        if (spec.Hooks is not { StartContainer.Count: > 0 } hooks)
        {
            return null;
        }

        var result = new StartContainerHooks(spec, extension);
        hooks.StartContainer.Clear();
        return result;
    }

    /// <exception cref="Grpc.Core.RpcException">
    /// One failed or took too long; those after it were not run. The caller ends the container.
    /// </exception>
    public async Task RunAsync(Container container, Reaper reaper, ProcessExtension? extension, CancellationToken cancellationToken)
    {
        string state = container.NewFile("hook-state");
        try
        {
            await File.WriteAllBytesAsync(state, State(container), cancellationToken);
            for (int i = 0; i < _hooks.Length; i++)
            {
                string name = string.Create(CultureInfo.InvariantCulture, $"startContainer hook {i} '{_hooks[i].Path}'");
                await RunAsync(name, _hooks[i], container, reaper, extension, state, cancellationToken);
            }
        }
        finally
        {
            File.Delete(state);
        }
    }

    // What the hook sees is the container's own view: its first process is 1 in its own pid namespace.
    internal byte[] State(string id, int pid)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("ociVersion", _version);
            json.WriteString("id", id);
            json.WriteString("status", "created");
            json.WriteNumber("pid", pid);
            json.WriteString("bundle", _bundle);
            json.WriteStartObject("annotations");
            foreach ((string key, string value) in _annotations)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private byte[] State(Container container) => State(container.Id.Value, _ownPidNamespace ? 1 : container.Init.Pid);

    private async Task RunAsync(
        string name, Hook hook, Container container, Reaper reaper, ProcessExtension? extension, string state,
        CancellationToken cancellationToken)
    {
        string files = container.NewFile("hook"), file = $"{files}.json", log = $"{files}.log", output = $"{files}.out";
        await File.WriteAllBytesAsync(file, ProcessJson.Write(ProcessOf(hook), extension), cancellationToken);
        try
        {
            using SafeFileDescriptor input = LinuxException.ThrowIfInvalid(
                LibC.open(state, LibC.O_RDONLY | LibC.O_CLOEXEC, 0), "open", "open the state");
            using SafeFileDescriptor written = LinuxException.ThrowIfInvalid(
                LibC.open(output, LibC.O_CREAT | LibC.O_WRONLY | LibC.O_CLOEXEC, FileModes.Private),
                "open", "make a file for the hook's output");
            (int pid, Task<ExitStatus> exited) = reaper.Spawn(Crun.Options(
                ["exec", $"--process={file}", container.Id.CrunName], log,
                new Dictionary<int, SafeFileDescriptor> { [0] = input, [1] = written, [2] = written }),
                (int)_process.OOMScoreAdj);
            TimeSpan limit = hook.Timeout > 0 ? TimeSpan.FromSeconds(hook.Timeout) : Timeout.InfiniteTimeSpan;
            ExitStatus status;
            try
            {
                status = await exited.WaitAsync(limit, cancellationToken);
            }
            catch (Exception error) when (error is TimeoutException or OperationCanceledException)
            {
                _ = LibC.kill(pid, Signals.SIGKILL); // crun; the hook itself goes with the container
                throw error is OperationCanceledException ? error : AgentException.Of(
                    Grpc.Core.StatusCode.DeadlineExceeded,
                    $"Cannot run the {name}: it did not end within its timeout of {limit.TotalSeconds:0} s and was killed");
            }

            if (status.Code != 0)
            {
                string said = Crun.ReadTail(output, OutputLimit).Trim();
                string crun = CrunErrors.LastMessage(Crun.ReadTail(log, OutputLimit));
                string why = crun.Length > 0 ? $" ({crun})" : "", wrote = said.Length > 0 ? $" and wrote '{said}'" : "";
                throw AgentException.Failed($"Cannot run the {name}: it ended with {status}{why}{wrote}");
            }
        }
        finally
        {
            File.Delete(file);
            File.Delete(log);
            File.Delete(output);
        }
    }

    // crun takes the program from the first argument, so a hook that calls itself something else sees its path there.
    private Process ProcessOf(Hook hook)
    {
        Process process = _process.Clone();
        process.Terminal = false;
        process.ConsoleSize = null;
        process.Cwd = "/";
        process.Args.Clear();
        process.Args.Add([hook.Path, .. hook.Args.Skip(1)]);
        process.Env.Clear();
        process.Env.Add(hook.Env);
        return process;
    }
}
