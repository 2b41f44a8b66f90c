using System.Diagnostics;

namespace Kata.Integration.Tests.Harness;

/// <summary>A command that runs. Whoever starts it reads its output, or lets <see cref="FinishAsync"/> do so; disposing kills it.</summary>
internal sealed class RunningCommand : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _error;

    private RunningCommand(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    public static RunningCommand Start(string path, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment.Remove("KATA_CONF_FILE");
        return new RunningCommand(Process.Start(start) ?? throw new InvalidOperationException($"'{path}' did not start"));
    }

    /// <summary>Writes the input and closes it, reads everything and waits for the end.</summary>
    /// <exception cref="TimeoutException">It did not end in time and was killed; the text holds its standard error.</exception>
    public async Task<CommandResult> FinishAsync(ReadOnlyMemory<byte> input, TimeSpan limit)
    {
        using var output = new MemoryStream();
        Task write = WriteAsync(input);
        Task read = Output.CopyToAsync(output);
        int code = await ExitAsync(limit);
        await Task.WhenAll(write, read).WaitAsync(limit);
        return new CommandResult(code, output.ToArray(), await _error.WaitAsync(limit));
    }

    /// <summary>Waits for the end only; the caller reads the output.</summary>
    /// <exception cref="TimeoutException">It did not end in time; it was killed.</exception>
    public async Task<int> ExitAsync(TimeSpan limit)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        ending.CancelAfter(limit);
        try
        {
            await _process.WaitForExitAsync(ending.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            _process.Kill();
            string arguments = string.Join(' ', _process.StartInfo.ArgumentList);
            throw new TimeoutException($"'{arguments}' did not end within {limit.TotalSeconds} s; standard error: "
                + $"{await _error.WaitAsync(TimeSpan.FromSeconds(5))}");
        }
    }

    /// <summary>What it wrote to standard error, once it has ended.</summary>
    public Task<string> ErrorAsync(TimeSpan limit) => _error.WaitAsync(limit);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> input)
    {
        try
        {
            await Input.WriteAsync(input);
            Input.Close();
        }
        catch (IOException)
        {
            // it ended without reading all of it, which is its own affair
        }
    }
}
