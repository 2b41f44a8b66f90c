using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>The log of what is made before it is known whose log it belongs in.</summary>
internal sealed class LateLog(ILogger first) : ILogger
{
    private volatile ILogger _target = first;

    /// <summary>Records go there from now on.</summary>
    public void TurnTo(ILogger target) => _target = target;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => _target.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => _target.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _target.Log(logLevel, eventId, state, exception, formatter);
}
