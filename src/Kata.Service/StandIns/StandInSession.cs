using System.Globalization;
using Kata.Linux;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>The service's side of one stand-in: its streams, the signals and sizes it passes on, and the exit it waits for.</summary>
internal sealed class StandInSession(LineConnection connection, StandInHello hello, int pid, ProcessStdio stdio) : IAsyncDisposable
{
    /// <summary>A line of the protocol holds 4,096 bytes; a console's end quoted in a reason may be longer.</summary>
    private const int MaxReasonChars = 1024;

    public StandInHello Hello => hello;

    /// <summary>The stand-in's process id, as the kernel told it.</summary>
    public int Pid => pid;

    /// <summary>The caller's streams; whoever takes the session owns them.</summary>
    public ProcessStdio Stdio => stdio;

    /// <summary>
    /// Passes on what the stand-in asks for until it has gone. A stand-in that was killed, or speaks nonsense, takes its process with it.
    /// </summary>
    /// <param name="process">The process that it stands for.</param>
    /// <param name="ended">Completes when its end may be told.</param>
    /// <param name="cancellationToken">The service ends.</param>
    public async Task ServeAsync(GuestProcess process, Task ended, CancellationToken cancellationToken)
    {
        Task<string?> line = ReadAsync(cancellationToken);
        Task errorClosed = hello.Detached ? process.ErrorClosed : process.Exited;
        while (await Task.WhenAny(line, process.Exited, errorClosed) is var first && first != process.Exited)
        {
            if (first == errorClosed)
            {
                errorClosed = process.Exited; // told once
                await TryAsync(() => connection.WriteLineAsync(StandIn.ErrorClosed, cancellationToken));
                continue;
            }

            if (await line is not { } request)
            {
                await TryAsync(() => process.SignalAsync(Signals.SIGKILL, cancellationToken));
                return;
            }

            await TryAsync(() => HandleAsync(process, request, cancellationToken));
            line = ReadAsync(cancellationToken);
        }

        await ended;
        ProcessExit exit = await process.Exited;
        await TryAsync(() => connection.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"exit {exit.Status} {OneLine(exit.Reason)}"), cancellationToken));
    }

    /// <summary>
    /// Tells the stand-in that its process never came to be. Why, whoever wanted it is told: a stand-in would tell it a second time.
    /// </summary>
    public Task AbandonAsync(CancellationToken cancellationToken) =>
        TryAsync(() => connection.WriteLineAsync("exit 255 ", cancellationToken));

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        await stdio.DisposeAsync();
    }

    // Null when it has gone. One whose connection breaks or that breaks the protocol counts as gone: nothing it says could be trusted.
    private async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await connection.ReadLineAsync(null, cancellationToken);
        }
        catch (Exception error) when (error is InvalidDataException or LinuxException)
        {
            return null;
        }
    }

    // The component is named at the start, what happened last is at the end: it is the middle that goes.
    private static string? OneLine(string? reason)
    {
        string? line = reason?.ReplaceLineEndings(" | ");
        return line is null || line.Length <= MaxReasonChars ? line : $"{line[..(MaxReasonChars / 2)]} ... {line[^(MaxReasonChars / 2)..]}";
    }

    private static async Task HandleAsync(GuestProcess process, string request, CancellationToken cancellationToken)
    {
        string[] words = request.Split(' ');
        switch (words)
        {
            case ["signal", string number] when uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out uint signal):
                await process.SignalAsync(signal, cancellationToken);
                break;
            case ["resize", string rows, string columns]
                when uint.TryParse(rows, NumberStyles.None, CultureInfo.InvariantCulture, out uint r)
                && uint.TryParse(columns, NumberStyles.None, CultureInfo.InvariantCulture, out uint c):
                await process.ResizeAsync(r, c, cancellationToken);
                break;
            default:
                break; // a later version's request
        }
    }

    // The guest may have ended meanwhile, or the stand-in: neither is worth more than what the exit says.
    private static async Task TryAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception error) when (
            error is AgentException or LinuxException or IOException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }
}
