using System.Globalization;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Containers;

/// <summary>
/// Resolves users and groups against a container's own /etc/passwd and /etc/group (passwd(5), group(5)), with runc's rules and
/// words. The files are the container's: broken lines are skipped, and the caller bounds their size.
/// </summary>
internal sealed class UserDatabase(string passwd, string group)
{
    /// <summary>
    /// A name or number becomes numbers. Without a group the user's own is taken, with every group that lists the user; a number
    /// that is nowhere stands for itself.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a name is in neither file.</exception>
    public User Resolve(StringUser request)
    {
        string[]? entry = FindUser(request.Uid);
        var result = new User();
        string name = "";
        if (entry is not null)
        {
            name = entry[0];
            result.UID = ParseId(entry[2]) ?? 0;
            result.GID = ParseId(entry[3]) ?? 0;
        }
        else if (request.Uid.Length > 0)
        {
            result.UID = ParseId(request.Uid)
                ?? throw AgentException.Invalid($"unable to find user {request.Uid}: no matching entries in passwd file");
        }

        if (request.Gid.Length > 0)
        {
            result.GID = FindGroup(request.Gid);
        }
        else if (name.Length > 0)
        {
            result.AdditionalGids.Add(GroupsOf(name));
        }

        foreach (string additional in request.AdditionalGids)
        {
            uint gid = FindGroup(additional);
            if (!result.AdditionalGids.Contains(gid))
            {
                result.AdditionalGids.Add(gid);
            }
        }

        return result;
    }

    /// <summary>The home directory of a number; "/" for one that has none.</summary>
    public string HomeOf(uint uid) =>
        Entries(passwd, 7).FirstOrDefault(entry => ParseId(entry[2]) == uid) is { Length: >= 6 } entry && entry[5].Length > 0
            ? entry[5] : "/";

    private string[]? FindUser(string user)
    {
        string wanted = user.Length > 0 ? user : "0";
        // A name that looks like a number is a name first, as in runc.
        return Entries(passwd, 7).FirstOrDefault(entry => entry[0] == wanted)
            ?? Entries(passwd, 7).FirstOrDefault(entry => ParseId(wanted) is { } id && ParseId(entry[2]) == id);
    }

    private uint FindGroup(string wanted)
    {
        string[]? entry = Entries(group, 4).FirstOrDefault(item => item[0] == wanted);
        return (entry is null ? null : ParseId(entry[2])) ?? ParseId(wanted)
            ?? throw AgentException.Invalid($"unable to find group {wanted}: no matching entries in group file");
    }

    private IEnumerable<uint> GroupsOf(string name) => Entries(group, 4)
        .Where(entry => entry[3].Split(',').Contains(name))
        .Select(static entry => ParseId(entry[2]))
        .OfType<uint>();

    private static IEnumerable<string[]> Entries(string text, int fields) => text.Split('\n')
        .Select(static line => line.TrimEnd('\r').Split(':'))
        .Where(entry => entry.Length >= Math.Min(fields, 4) && entry[0].Length > 0 && entry[0][0] != '#');

    private static uint? ParseId(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id <= int.MaxValue ? id : null;
}
