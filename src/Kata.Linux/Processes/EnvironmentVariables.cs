using System.Collections;

namespace Kata.Linux;

/// <summary>This process's environment in the form that a child is started with.</summary>
internal static class EnvironmentVariables
{
    /// <summary>As <c>NAME=value</c>.</summary>
    public static List<string> Read()
    {
        var result = new List<string>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            result.Add($"{variable.Key}={variable.Value}");
        }

        return result;
    }
}
