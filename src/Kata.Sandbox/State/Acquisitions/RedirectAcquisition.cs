using System.Globalization;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// An interface of a network namespace whose frames go to a tap. Released by taking the redirection away, and the links that keep its rate,
/// or the macvtap over it; a tap itself goes with whoever has it open, and all of it with the namespace.
/// </summary>
/// <param name="Value"><c>INODE LINK PATH</c>: the namespace's number, the interface's, and where the namespace was found.</param>
internal sealed record RedirectAcquisition(string Value) : Acquisition(Name, Value)
{
    public const string Name = "Redirect";

    private const int Parts = 3;

    public RedirectAcquisition(NetworkNamespace space, int link)
        : this(string.Create(CultureInfo.InvariantCulture, $"{space.Inode} {link} {space.Path}"))
    {
    }

    public override Task ReleaseAsync(CancellationToken cancellationToken)
    {
        string[] parts = Value.Split(' ', Parts);
        if (parts.Length == Parts
            && ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int link) && link > 0
            && TryOpen(parts[2]) is { } space)
        {
            using (space)
            {
                if (space.Inode == inode)
                {
                    Endpoint.Detach(space, link);
                }
            }
        }

        return Task.CompletedTask;
    }

    // Where there is none any more, everything in it is gone.
    private static NetworkNamespace? TryOpen(string path)
    {
        try
        {
            return NetworkNamespace.Open(path, mountNamespace: null);
        }
        catch (NetworkException)
        {
            return null;
        }
    }
}
