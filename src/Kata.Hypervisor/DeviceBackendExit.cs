using Kata.Linux;

namespace Kata.Hypervisor;

/// <summary>How and why an <see cref="IDeviceBackend"/> ended.</summary>
/// <param name="Status">How its process ended, or null when it could not be learnt.</param>
/// <param name="Reason">A sentence for people, its last messages in it, escaped.</param>
/// <param name="Requested">True when we ended it.</param>
internal sealed record DeviceBackendExit(ExitStatus? Status, string Reason, bool Requested)
{
    /// <summary>True unless it ended as it does when its client has gone.</summary>
    public bool Failed => !Requested && Status is { Signal: not null } or { Code: > 0 };

    /// <summary>Whether a signal ended it.</summary>
    public bool WasKilled => Status is { Signal: not null };
}
