using Kata.Linux;

namespace Kata.Agent;

/// <summary>What went wrong, for people. This executable has none of .NET's own texts: a message of .NET's is the name of one.</summary>
internal static class ErrorText
{
    /// <summary>Our own texts as they are; of a failed call the kernel's answer; of what should not happen its kind.</summary>
    public static string Of(Exception error) => error switch
    {
        Grpc.Core.RpcException refusal => refusal.Status.Detail,
        LinuxException => error.Message,
        _ when error.Message.StartsWith("Cannot ", StringComparison.Ordinal) => error.Message,
        _ => FileErrors.TextOf(error)
            ?? $"Cannot go on: the guest's agent failed with {error.GetType().Name}. The guest's console has more",
    };

    /// <summary>Why, as the end of a sentence.</summary>
    public static string CauseOf(Exception error) => FileErrors.Of(error) is { } errno ? LinuxException.Describe(errno) : Of(error);
}
