using Kata.Netlink;

namespace Kata.Network;

/// <summary>
/// A change of a pod's network namespace that somebody has asked for by name. The guest follows it; where it cannot, the change is undone.
/// Used once, by one at a time.
/// </summary>
internal abstract class NetworkChange
{
    /// <summary>What was asked for, with its object: <c>add the interface 'eth1'</c>.</summary>
    public abstract string Action { get; }

    /// <summary>The number of the link that the guest has to have a card of when it has followed; null for none.</summary>
    public virtual int? Card => null;

    /// <summary>Makes it. What one that fails has done is <see cref="Undo"/>'s.</summary>
    /// <param name="space">The pod's namespace.</param>
    /// <param name="cards">The numbers of the links that the guest has cards of.</param>
    /// <exception cref="NetworkException">It cannot be.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public abstract void Do(NetworkNamespace space, IReadOnlyCollection<int> cards);

    /// <summary>What is left to do once the guest has followed.</summary>
    /// <exception cref="NetworkException">It cannot be.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public virtual void Finish(NetworkNamespace space)
    {
    }

    /// <summary>Has the namespace be as it was before <see cref="Do"/>. Does nothing for what is gone.</summary>
    /// <exception cref="NetworkException">It cannot be.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public abstract void Undo(NetworkNamespace space);

    /// <summary>An error about this change.</summary>
    /// <param name="cause">Why not, and what to do.</param>
    /// <param name="error">Its kind.</param>
    protected NetworkException Cannot(string cause, NetworkError error = NetworkError.Refused) => new($"Cannot {Action}: {cause}", error);
}
