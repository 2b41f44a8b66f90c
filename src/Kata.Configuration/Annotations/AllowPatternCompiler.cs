using static Kata.Configuration.AllowPattern;

namespace Kata.Configuration;

/// <summary>Compiles the patterns of <see cref="AllowPattern"/>: recursive descent to code with relative jumps, then absolute.</summary>
internal sealed class AllowPatternCompiler
{
    private const int MaxLength = 256;
    private const int MaxGroups = 32; // bounds the recursion

    private readonly string _pattern;
    private int _position;
    private int _depth;

    internal AllowPatternCompiler(string pattern) => _pattern = pattern;

    /// <exception cref="FormatException">The pattern is wrong; the message is the end of a sentence.</exception>
    internal List<Instruction> Compile()
    {
        if (_pattern.Length > MaxLength)
            throw new FormatException(FormattableString.Invariant($"it has {_pattern.Length} characters, at most {MaxLength} are read"));
        List<Instruction> code = Alternatives();
        if (_position < _pattern.Length)
            throw Error("has no matching '('");
        code.Add(new Instruction(Operation.Match));
        for (int i = 0; i < code.Count; i++)
            code[i] = code[i] with { Target1 = code[i].Target1 + i, Target2 = code[i].Target2 + i };
        return code;
    }

    private static Instruction Split(int first, int second) => new(Operation.Split, null, first, second);

    private List<Instruction> Alternatives()
    {
        List<Instruction> left = Sequence();
        while (_position < _pattern.Length && _pattern[_position] == '|')
        {
            _position++;
            List<Instruction> right = Sequence();
            left = [Split(1, left.Count + 2), .. left, Split(right.Count + 1, right.Count + 1), .. right];
        }

        return left;
    }

    private List<Instruction> Sequence()
    {
        var code = new List<Instruction>();
        while (_position < _pattern.Length && _pattern[_position] is not ('|' or ')'))
            code.AddRange(Repeated());
        return code;
    }

    private List<Instruction> Repeated()
    {
        List<Instruction> atom = Atom();
        while (_position < _pattern.Length && _pattern[_position] is '*' or '+' or '?' or '{')
        {
            int size = atom.Count;
            atom = _pattern[_position] switch
            {
                '*' => [Split(1, size + 2), .. atom, Split(-size - 1, -size - 1)],
                '+' => [.. atom, Split(-size, 1)],
                '?' => [Split(1, size + 1), .. atom],
                _ => throw Error("counts repetitions, which is not supported"),
            };
            if (atom.Count > MaxLength * 4)
                throw new FormatException("it repeats too much");
            _position++;
        }

        return atom;
    }

    private List<Instruction> Atom()
    {
        char c = _pattern[_position];
        switch (c)
        {
            case '(':
                return Group();
            case '[':
                return [Take(Class())];
            case '*' or '+' or '?' or '{':
                throw Error("repeats nothing");
            case '\\':
                _position++;
                return [Take(Escape())];
            default:
                _position++;
                return c switch
                {
                    '.' => [Take(static _ => true)],
                    '^' => [new Instruction(Operation.Start)],
                    '$' => [new Instruction(Operation.End)],
                    _ => [Take(other => other == c)],
                };
        }
    }

    private static Instruction Take(Predicate<char> set) => new(Operation.Take, set);

    private List<Instruction> Group()
    {
        if (++_depth > MaxGroups)
            throw Error("opens too many groups");
        int start = _position++;
        if (_pattern.AsSpan(_position).StartsWith("?:"))
            _position += 2;
        List<Instruction> inner = Alternatives();
        if (_position >= _pattern.Length)
        {
            _position = start;
            throw Error("has no matching ')'");
        }

        _position++;
        _depth--;
        return inner;
    }

    private Predicate<char> Escape()
    {
        if (_position >= _pattern.Length)
            throw new FormatException("it ends in '\\'");
        char c = _pattern[_position++];
        return c switch
        {
            'd' => char.IsAsciiDigit,
            'w' => static other => char.IsAsciiLetterOrDigit(other) || other == '_',
            's' => char.IsWhiteSpace,
            _ when char.IsAsciiLetterOrDigit(c) => throw new FormatException($"the escape '\\{c}' is not supported"),
            _ => other => other == c,
        };
    }

    private Predicate<char> Class()
    {
        int start = _position++;
        bool negated = _position < _pattern.Length && _pattern[_position] == '^';
        if (negated)
            _position++;
        var sets = new List<Predicate<char>>();
        while (_position < _pattern.Length && (_pattern[_position] != ']' || sets.Count == 0))
        {
            char low = _pattern[_position++];
            if (low == '\\')
            {
                sets.Add(Escape());
            }
            else if (_position + 1 < _pattern.Length && _pattern[_position] == '-' && _pattern[_position + 1] != ']')
            {
                char high = _pattern[_position + 1];
                _position += 2;
                sets.Add(c => c >= low && c <= high);
            }
            else
            {
                sets.Add(c => c == low);
            }
        }

        if (_position >= _pattern.Length)
        {
            _position = start;
            throw Error("has no matching ']'");
        }

        _position++;
        return c => sets.Exists(set => set(c)) != negated;
    }

    private FormatException Error(string what) => new(FormattableString.Invariant($"'{_pattern[_position]}' at {_position + 1} {what}"));
}
