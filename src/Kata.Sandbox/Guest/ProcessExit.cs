namespace Kata.Sandbox;

/// <summary>How a guest process ended, as far as the host knows.</summary>
/// <param name="Status">0 to 255: its exit code, 128 plus the signal, or 255 when the host lost it.</param>
/// <param name="At">When the host learnt of it.</param>
/// <param name="Reason">Set when it was lost: which component failed and how.</param>
internal sealed record ProcessExit(uint Status, DateTimeOffset At, string? Reason);
