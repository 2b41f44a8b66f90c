using System.CommandLine;

namespace Kata.Runtime.Commands;

/// <summary>
/// Kata's options of <c>kata-check</c> about newer releases. Nothing here ever asks the network, so those that do nothing else are refused.
/// </summary>
internal sealed class ReleaseOptions
{
    private readonly Option<bool> _versionOnly = new("--check-version-only")
    {
        Description = "Refused: whether there is a newer release is not asked of the network",
    };
    private readonly Option<bool> _list = new("--only-list-releases") { Description = "Refused: releases are not asked of the network" };
    private readonly Option<bool> _all = new("--include-all-releases") { Description = "Accepted and ignored: no release is looked for" };
    private readonly Option<bool> _noNetwork = new("--no-network-checks", "-n")
    {
        Description = "Accepted and ignored: the network is never asked",
    };

    private ReleaseOptions()
    {
    }

    public static ReleaseOptions AddTo(Command command)
    {
        var options = new ReleaseOptions();
        foreach (Option option in new Option[] { options._versionOnly, options._list, options._all, options._noNetwork })
        {
            command.Options.Add(option);
        }

        return options;
    }

    /// <exception cref="NotSupportedException">The command was asked for nothing but what the network would have to answer.</exception>
    public void Check(ParseResult result)
    {
        foreach (Option<bool> option in new[] { _versionOnly, _list })
        {
            if (result.GetValue(option))
            {
                throw new NotSupportedException(
                    $"Cannot use '{option.Name}': this command never asks the network which releases there are. "
                    + "Compare 'kata-runtime version' with where you got it from");
            }
        }
    }
}
