namespace Kata.Configuration;

/// <summary>
/// A regular expression of <c>enable_annotations</c>, searched anywhere in a name, in time linear in the name: it is compiled to a small
/// non-deterministic automaton whose states all advance together, so that no pattern can make it slow.
/// </summary>
/// <remarks>
/// Own code because System.Text.RegularExpressions would add 1.1 MB to the executable for this one use. It has what such lists hold:
/// literals, <c>.</c>, <c>[...]</c>, groups, <c>|</c>, <c>* + ?</c>, <c>^ $</c> and escapes. Counted repetition is refused by name.
/// </remarks>
internal sealed class AllowPattern
{
    private readonly List<Instruction> _program;

    internal AllowPattern(List<Instruction> program) => _program = program;

    /// <summary>What a state of the automaton does.</summary>
    internal enum Operation
    {
        /// <summary>Takes one character that is in <see cref="Instruction.Set"/>.</summary>
        Take,

        /// <summary>Goes on at both targets.</summary>
        Split,

        /// <summary>Passes at the start of the name only.</summary>
        Start,

        /// <summary>Passes at the end of the name only.</summary>
        End,

        /// <summary>The pattern is found.</summary>
        Match,
    }

    /// <summary>Compiles a pattern.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="compiled">The result, null when it is wrong.</param>
    /// <param name="error">What is wrong with it, as the end of a sentence.</param>
    internal static bool TryParse(
        string pattern,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AllowPattern? compiled,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out string? error)
    {
        try
        {
            compiled = new AllowPattern(new AllowPatternCompiler(pattern).Compile());
            error = null;
            return true;
        }
        catch (FormatException exception)
        {
            compiled = null;
            error = exception.Message;
            return false;
        }
    }

    /// <summary>Whether the pattern occurs anywhere in the text.</summary>
    internal bool IsMatch(string text)
    {
        var now = new HashSet<int>();
        var next = new HashSet<int>();
        for (int i = 0; i <= text.Length; i++)
        {
            if (Follow(now, 0, i, text.Length)) // a match may start at every position
                return true;
            if (i == text.Length)
                break;
            foreach (int state in now)
            {
                Instruction instruction = _program[state];
                bool taken = instruction.Operation == Operation.Take && instruction.Set!(text[i]);
                if (taken && Follow(next, state + 1, i + 1, text.Length))
                    return true;
            }

            (now, next) = (next, now);
            next.Clear();
        }

        return false;
    }

    private bool Follow(HashSet<int> states, int first, int position, int length)
    {
        var open = new Stack<int>([first]);
        while (open.TryPop(out int state))
        {
            if (!states.Add(state))
                continue;
            Instruction instruction = _program[state];
            switch (instruction.Operation)
            {
                case Operation.Match:
                    return true;
                case Operation.Split:
                    open.Push(instruction.Target1);
                    open.Push(instruction.Target2);
                    break;
                case Operation.Start when position == 0:
                case Operation.End when position == length:
                    open.Push(state + 1);
                    break;
            }
        }

        return false;
    }

    /// <summary>One state; <see cref="Operation.Take"/>, Start and End go on at the next one.</summary>
    internal sealed record Instruction(Operation Operation, Predicate<char>? Set = null, int Target1 = 0, int Target2 = 0);
}
