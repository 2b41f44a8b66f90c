using Kata.Linux;

namespace Kata.Storage;

/// <summary>How and why a virtiofsd ended.</summary>
/// <param name="Status">How its process ended, or null when it could not be learnt.</param>
/// <param name="Reason">A sentence for people, the daemon's last messages in it, escaped.</param>
/// <param name="Requested">True when we ended it.</param>
internal sealed record VirtioFsDaemonExit(ExitStatus? Status, string Reason, bool Requested)
{
    /// <summary>True unless it ended as it does when its client has gone.</summary>
    public bool Failed => !Requested && Status is { Signal: not null } or { Code: > 0 };
}
