namespace Kata.Testing;

/// <summary>A limit on every await of a test, long enough for a loaded machine: reaching it is a failure, never a measurement.</summary>
public static class TaskLimits
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    public static Task Within(this Task task) => task.WaitAsync(s_limit);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(s_limit);
}
