using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Network;

/// <summary>
/// The sysctls of a pod's network namespace that are not as in a new one: what a network plugin (<c>tuning</c>) or somebody by
/// <c>sysctl</c> has set there. The kernel does not tell when they change: they are read when it is asked for, which takes some
/// milliseconds of processor time, and for a link that comes later some tenths of one. One call at a time.
/// </summary>
internal sealed class NamespaceSettings
{
    private readonly NetworkNamespace _space;
    private readonly Task<(InitialSettings Initial, Dictionary<string, NamespaceSetting> Changed)> _first;
    private HashSet<string> _links; // whose settings are known
    private IReadOnlyDictionary<string, NamespaceSetting>? _changed;

    private NamespaceSettings(NetworkNamespace space, HashSet<string> links)
    {
        (_space, _links) = (space, links);
        _first = NamespaceThread.RunAsync(() =>
        {
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWNET), "unshare(NEWNET)", "make a network namespace to compare with");
            var initial = InitialSettings.Read();
            space.Enter();
            return (initial, Read(initial, links));
        });
    }

    /// <summary>Begins to read them; that goes on while the caller does something else.</summary>
    /// <param name="space">Borrowed, until <see cref="EndAsync"/>.</param>
    /// <param name="network">What it has.</param>
    public static NamespaceSettings Begin(NetworkNamespace space, HostNetwork network) => new(space, NamesOf(network));

    /// <summary>Adds what is known of them. Waits for the first reading, and reads those of links that are new.</summary>
    /// <param name="network">What the namespace has now.</param>
    /// <param name="again">To read them all, as they are now.</param>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public async Task<HostNetwork> AddToAsync(HostNetwork network, bool again)
    {
        try
        {
            (InitialSettings initial, Dictionary<string, NamespaceSetting> first) = await _first;
            IReadOnlyDictionary<string, NamespaceSetting> changed = _changed ?? first;
            HashSet<string> links = NamesOf(network);
            string[] added = [.. links.Except(_links)];
            if (again)
            {
                changed = Keep(changed, _space.Run(() => Read(initial, links)));
            }
            else if (added.Length > 0)
            {
                changed = _space.Run(() => ReadLinks(initial, added, changed));
            }

            (_links, _changed) = (links, changed);
            return network with { Settings = [.. changed.Values.OrderBy(static item => item.Order)] };
        }
        catch (LinuxException error)
        {
            throw new NetworkException($"Cannot read the sysctls of '{_space.Path}'", error);
        }
    }

    /// <summary>Waits until nothing is being read.</summary>
    public async Task EndAsync() => await ((Task)_first).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static HashSet<string> NamesOf(HostNetwork network) => network.Links.Select(static link => link.Name)
        .Where(static name => !name.EndsWith(Tap.NameSuffix, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);

    private static Dictionary<string, NamespaceSetting> Read(InitialSettings initial, HashSet<string> links) =>
        ReadLinks(initial, links, initial.Changed());

    private static Dictionary<string, NamespaceSetting> ReadLinks(
        InitialSettings initial, IReadOnlyCollection<string> links, IReadOnlyDictionary<string, NamespaceSetting> changed) => changed.Values
        .Where(item => item.Link is not { } link || !links.Contains(link))
        .Concat(links.SelectMany(link => initial.ChangedOf(link, changed)))
        .ToDictionary(static item => item.Path, StringComparer.Ordinal);

    // Docker's name server has a range of ports from us: what was there before is the guest's.
    private static Dictionary<string, NamespaceSetting> Keep(
        IReadOnlyDictionary<string, NamespaceSetting> before, Dictionary<string, NamespaceSetting> now)
    {
        if (now.TryGetValue(AnswerFilters.PortRange, out NamespaceSetting? range) && AnswerFilters.IsOurs(range.Value))
        {
            now.Remove(AnswerFilters.PortRange);
            if (before.TryGetValue(AnswerFilters.PortRange, out NamespaceSetting? earlier))
            {
                now.Add(AnswerFilters.PortRange, earlier);
            }
        }

        return now;
    }
}
