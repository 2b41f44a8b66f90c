using System.Diagnostics;
using System.Text;

namespace Kata.Integration.Tests.Faults;

/// <summary>A command that runs. Disposing kills it.</summary>
internal sealed class FaultCommand : IDisposable
{
    /// <summary>A machine boots within seconds; a host that tests on two processors may take ten times as long.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(150);

    private readonly Process _process;
    private readonly Task _reads;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private FaultCommand(Process process)
    {
        _process = process;
        // Both end with the process's streams, which a process that it left behind might hold: FinishAsync has a limit for that.
        _reads = Task.WhenAll(CopyAsync(process.StandardOutput, _output), CopyAsync(process.StandardError, _error));
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public static FaultCommand Start(string path, IEnumerable<string> arguments, string? workingDirectory = null)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = workingDirectory ?? "/",
        };
        start.Environment.Remove("KATA_CONF_FILE");
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"'{path}' did not start");
        process.StandardInput.Close();
        return new FaultCommand(process);
    }

    public async Task<Outcome> FinishAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        ending.CancelAfter(s_limit);
        try
        {
            await _process.WaitForExitAsync(ending.Token);
            // A detached container keeps its caller's streams; what it will write is not this command's.
            await Task.WhenAny(_reads, Task.Delay(TimeSpan.FromSeconds(1), ending.Token));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"'{string.Join(' ', _process.StartInfo.ArgumentList)}' did not end: {Read(_error)}");
        }

        return new Outcome(_process.ExitCode, Read(_output), Read(_error));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }

    private static async Task CopyAsync(StreamReader reader, StringBuilder text)
    {
        char[] buffer = new char[4096];
        while (await reader.ReadAsync(buffer) is > 0 and var count)
        {
            lock (text)
            {
                text.Append(buffer, 0, count);
            }
        }
    }
}
