using Kata.Agent.Protocol.Extension;

namespace Kata.Runtime.Processes;

/// <summary>One column of ps(1).</summary>
/// <param name="Header">Its heading; empty for none.</param>
/// <param name="Width">Characters at least.</param>
/// <param name="AlignRight">Whether blanks go before the value.</param>
/// <param name="Value">The value, given the time of the listing. Text of the guest is escaped already.</param>
internal sealed record PsColumn(string Header, int Width, bool AlignRight, Func<GuestProcess, DateTimeOffset, string> Value);
