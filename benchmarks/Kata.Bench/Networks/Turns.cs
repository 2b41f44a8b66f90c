namespace Kata.Bench.Networks;

/// <summary>
/// One figure of several subjects that were measured in turns. A ratio is the median of the turns' ratios, not that of the medians: what
/// else the machine does changes from turn to turn, and little within one.
/// </summary>
internal sealed class Turns
{
    private readonly Dictionary<string, List<double>> _values = [];

    public void Add(string subject, double value)
    {
        if (!_values.TryGetValue(subject, out List<double>? values))
        {
            _values[subject] = values = [];
        }

        values.Add(value);
    }

    /// <summary>The median of one subject.</summary>
    public double Of(string subject) => Median.Of([.. _values[subject]]);

    /// <summary>The median of the turns' ratios.</summary>
    public double Ratio(string subject, string other) =>
        Median.Of([.. _values[subject].Zip(_values[other], static (one, two) => one / two)]);

    /// <summary>Adds <c>NAME.SUBJECT_UNIT</c> of each, and <c>NAME.kata_per_OTHER</c> of all others.</summary>
    public void Publish(string name, string unit, SortedDictionary<string, double> results, bool withRatios = true)
    {
        foreach (string subject in _values.Keys)
        {
            results[$"{name}.{subject}_{unit}"] = Of(subject);
            if (withRatios && subject != Station.Kata)
            {
                results[$"{name}.{Station.Kata}_per_{subject}"] = Ratio(Station.Kata, subject);
            }
        }
    }
}
