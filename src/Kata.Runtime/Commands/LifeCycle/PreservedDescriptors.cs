using System.CommandLine;
using System.Globalization;

namespace Kata.Runtime.Commands;

/// <summary><c>--preserve-fds</c>: descriptors of the caller are objects of the host's kernel, which a guest cannot have.</summary>
internal sealed class PreservedDescriptors
{
    private readonly Option<uint> _count = new("--preserve-fds")
    {
        Description = "Must be 0: descriptors cannot cross into another kernel",
        HelpName = "N",
    };

    public void AddTo(Command command) => command.Options.Add(_count);

    /// <exception cref="ArgumentException">The caller wants to pass some.</exception>
    public void Check(ParseResult result)
    {
        if (result.GetValue(_count) is > 0 and var count)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"Cannot pass descriptors with '--preserve-fds {count}': "
                + $"they belong to the host's kernel and the container runs in another. Leave the option out, and share files by mounts"));
        }
    }
}
