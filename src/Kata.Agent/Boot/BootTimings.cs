using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Kata.Agent.Boot;

/// <summary>How long each step of the boot took, for one line in the log.</summary>
internal sealed class BootTimings
{
    private readonly List<(string Name, TimeSpan Time)> _phases = [];
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Ends the phase that began with the previous call, or with this object.</summary>
    public void Mark(string phase)
    {
        long now = Stopwatch.GetTimestamp();
        _phases.Add((phase, Stopwatch.GetElapsedTime(_last, now)));
        _last = now;
    }

    /// <summary><c>name=ms</c> items in order of time, then their sum.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        double total = 0;
        foreach ((string name, TimeSpan time) in _phases)
        {
            total += time.TotalMilliseconds;
            text.Append(CultureInfo.InvariantCulture, $"{name}={time.TotalMilliseconds:0.0} ");
        }

        return text.Append(CultureInfo.InvariantCulture, $"total={total:0.0}").ToString();
    }
}
