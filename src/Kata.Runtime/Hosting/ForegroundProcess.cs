using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>A guest process that this command stands for until it ends. Disposing gives the terminal its modes back.</summary>
internal sealed class ForegroundProcess(StandIn standIn, ConsoleSetup console) : IAsyncDisposable
{
    /// <summary>Passes signals on and waits. A status that is not the process's own doing is explained on standard error.</summary>
    public async Task<int> WaitAsync()
    {
        (int status, string? reason) = await standIn.WaitAsync(errorClosed: null, CancellationToken.None);
        if (reason is not null)
        {
            await DisposeAsync(); // the terminal must be readable again before text goes to it
            await Console.Error.WriteLineAsync($"kata-runtime: the container ended with status {status}: {reason}");
        }

        return status;
    }

    public async ValueTask DisposeAsync()
    {
        await standIn.DisposeAsync();
        console.Dispose();
    }
}
