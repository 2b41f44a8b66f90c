using System.Text;
using Kata.Runtime.Cni;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Fuzz.Targets;

/// <summary>
/// What <c>kata-cni</c> is given: a letter says for which command, then the configuration. A result that is taken is written in every
/// version, where it says the same, and its interfaces are found in a guest that has them.
/// </summary>
internal static class CniDocuments
{
    private const string Letters = "adcsgv"; // in the order of the commands
    private const string Path = "/run/netns/x";

    public static void Read(byte[] input)
    {
        if (input is not [var letter, .. byte[] text] || Letters.IndexOf((char)letter, StringComparison.Ordinal) is not (>= 0 and var at))
        {
            return;
        }

        var command = (CniCommand)at;
        if (command == CniCommand.Version)
        {
            Finding.Unless(CniConfiguration.VersionAsked(text).Length > 0, "no version is the answer");
            return;
        }

        var configuration = CniConfiguration.Parse(text, command);
        if (command is CniCommand.Add or CniCommand.Check)
        {
            Compare(configuration.ReadPrevious());
        }
    }

    private static void Compare(CniResult result)
    {
        IReadOnlyList<ExpectedInterface> expected = result.In(Path);
        foreach (string version in CniVersions.Texts)
        {
            var spoken = CniVersions.Parse(version, "a version");
            string written = result.Write(spoken);
            var again = CniResult.Parse(CniJson.Parse(Encoding.UTF8.GetBytes(written), "it"), spoken);
            Finding.Unless(again.Write(spoken) == written, $"in {version} '{written}' is another one when it was read");
            Finding.Unless(
                again.In(Path).Zip(expected).All(static pair => Same(pair.First, pair.Second)) && again.In(Path).Count == expected.Count,
                $"in {version} '{written}' has other interfaces");
        }

        foreach (ExpectedInterface item in expected)
        {
            var guest = new NetworkInterface { Name = item.Name, HardwareAddress = item.HardwareAddress, Addresses = { item.Addresses } };
            Finding.Unless(item.DifferenceFrom([guest]) is null, "a guest that has it is another one");
            Finding.Unless(item.DifferenceFrom([]) is not null, "a guest that has nothing is the same");
        }
    }

    private static bool Same(ExpectedInterface one, ExpectedInterface other) =>
        one.Name == other.Name && one.HardwareAddress == other.HardwareAddress && one.Addresses.SequenceEqual(other.Addresses);
}
