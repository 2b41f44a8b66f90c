using System.Globalization;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// One hook from its start to its end: state on standard input, output kept for the error, killed with its children at its limit.
/// </summary>
internal static class HookProcess
{
    private const int MaxLines = 8; // of its output, in the error text
    private const int MaxLineBytes = 512;
    private const string Remedy = "Correct the hook, or remove it from the bundle's config.json";

    /// <exception cref="HookException">It could not be started, failed, or reached its limit.</exception>
    public static async Task RunAsync(
        string name, HookSpec hook, ReadOnlyMemory<byte> state, HookSurroundings surroundings, HookCaller caller, TimeProvider time,
        CancellationToken cancellationToken)
    {
        (SafeFileDescriptor inputRead, SafeFileDescriptor inputWrite) = Pipe.Create();
        (SafeFileDescriptor outputRead, SafeFileDescriptor outputWrite) = Pipe.Create();
        await using var input = new DescriptorStream(inputWrite);
        await using var output = new DescriptorStream(outputRead);
        ChildProcess child;
        using (inputRead)
        using (outputWrite)
        {
            child = Start(
                name, hook, surroundings, caller,
                new Dictionary<int, SafeFileDescriptor> { [0] = inputRead, [1] = outputWrite, [2] = outputWrite });
        }

        var tail = new LineTail(MaxLines, MaxLineBytes);
        using var ended = new CancellationTokenSource();
        Task writing = WriteAsync(input, state, ended.Token); // ends with the hook at the latest
        Task reading = ReadAsync(output, tail, ended.Token); // likewise: a daemon that it left keeps the pipe open
        try
        {
            ExitStatus status = await WaitAsync(name, hook, child, time, cancellationToken);
            await ended.CancelAsync();
            await Task.WhenAll(writing, reading);
            if (status.Code != 0)
            {
                throw new HookException(name, hook.Path, $"it ended with {status}{DescribeOutput(tail)}", Remedy);
            }
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(writing, reading);
        }
    }

    private static ChildProcess Start(
        string name, HookSpec hook, HookSurroundings surroundings, HookCaller caller,
        IReadOnlyDictionary<int, SafeFileDescriptor> descriptors)
    {
        try
        {
            return ChildProcess.Adopt(NamespaceThread.RunIn(caller.MountNamespace, "the pod's caller", () =>
            {
                if (caller.Umask is { } umask)
                {
                    _ = LibC.umask(umask);
                }

                return ProcessSpawner.Spawn(new SpawnOptions
                {
                    Path = hook.Path,
                    Arguments = hook.Args is { Count: > 0 } arguments ? arguments : [hook.Path],
                    Environment = hook.Env ?? surroundings.Variables,
                    Descriptors = descriptors,
                    NewSession = true, // so that its limit ends its children too
                    WorkingDirectory = Directory.Exists(surroundings.Directory) ? surroundings.Directory : "/",
                });
            }));
        }
        catch (LinuxException error)
        {
            throw new HookException(name, hook.Path, error.Message, Remedy, error);
        }
    }

    // Ends early on: the caller (cancellationToken) or the hook's own limit; either way nothing of it stays behind.
    private static async Task<ExitStatus> WaitAsync(
        string name, HookSpec hook, ChildProcess child, TimeProvider time, CancellationToken cancellationToken)
    {
        TimeSpan limit = hook.Timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : Timeout.InfiniteTimeSpan;
        try
        {
            return await child.Exited.WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            await KillAsync(child);
            throw new HookException(
                name, hook.Path,
                string.Create(
                    CultureInfo.InvariantCulture, $"it did not end within its timeout of {limit.TotalSeconds:0} s and was killed"),
                "Give it a longer timeout, or correct the hook");
        }
        catch (OperationCanceledException)
        {
            await KillAsync(child);
            throw;
        }
    }

    private static async Task KillAsync(ChildProcess child)
    {
        // Its session's group; the number cannot be another's while our child is not reaped, or any member lives.
        _ = LibC.kill(-child.Pid, Signals.SIGKILL);
        child.Kill(Signals.SIGKILL);
        await child.Exited;
    }

    private static string DescribeOutput(LineTail tail)
    {
        IReadOnlyList<string> lines = tail.Last(MaxLines);
        return lines.Count == 0 ? " and wrote nothing" : $" and wrote '{string.Join(" | ", lines)}'";
    }

    private static async Task WriteAsync(DescriptorStream input, ReadOnlyMemory<byte> state, CancellationToken cancellationToken)
    {
        try
        {
            await input.WriteAsync(state, cancellationToken);
        }
        catch (Exception error) when (error is LinuxException or OperationCanceledException)
        {
            // it did not want to read it, which is its own affair
        }

        await input.DisposeAsync();
    }

    private static async Task ReadAsync(DescriptorStream output, LineTail tail, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (await output.ReadAsync(buffer, cancellationToken) is > 0 and var count)
            {
                tail.Append(buffer.AsSpan(0, count));
            }
        }
        catch (OperationCanceledException)
        {
            // It has ended: what it wrote is in the pipe, at most 64 KiB that a daemon of its own may go on filling.
            for (int i = 0; i < 16 && output.TryRead(buffer) is > 0 and var count; i++)
            {
                tail.Append(buffer.AsSpan(0, count));
            }
        }

        tail.Complete();
    }
}
