namespace Kata.Runtime.Hosting;

/// <summary>
/// Which combinations of terminal, console socket, console and detachment make sense; runc's rules,
/// and one more for Kata's <c>--console</c>.
/// </summary>
internal static class ConsoleRules
{
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void Check(ConsoleRequest request, bool detached)
    {
        (bool terminal, string? consoleSocket, string? console, _) = request;
        if (console is not null)
        {
            string? cause = consoleSocket is not null ? "'--console-socket' is given too"
                : !terminal ? "the process has no terminal"
                : null;
            string remedy = terminal ? "Give one of the two" : "Set process.terminal, or leave the option out";
            if (cause is not null)
            {
                throw new ArgumentException($"Cannot use '--console': {cause}. {remedy}");
            }

            return;
        }

        if (terminal && detached && consoleSocket is null)
        {
            throw new ArgumentException("Cannot give a detached process a terminal without '--console-socket': nobody would hold it. "
                + "Give the option, or run in the foreground");
        }

        if (!terminal && consoleSocket is not null)
        {
            throw new ArgumentException(
                "Cannot use '--console-socket': the process has no terminal. Set process.terminal, or leave the option out");
        }

        if (terminal && !detached && consoleSocket is not null)
        {
            throw new ArgumentException(
                "Cannot use '--console-socket' in the foreground: the terminal is this command's own. Detach, or leave the option out");
        }
    }
}
