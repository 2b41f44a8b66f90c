using System.Text.Json;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Cni;

/// <summary>The network configuration, checked.</summary>
internal sealed record CniConfiguration
{
    /// <summary>The property, here and in results.</summary>
    public const string VersionKey = "cniVersion";

    private const string Subject = "the network configuration";
    private readonly JsonElement? _previous;

    private CniConfiguration(CniVersion version, JsonElement? previous) => (Version, _previous) = (version, previous);

    /// <summary>The version to speak.</summary>
    public CniVersion Version { get; }

    /// <summary>Where pods are.</summary>
    public string Root { get; private init; } = SandboxDirectories.DefaultRoot;

    /// <summary>The configuration file of pods; null for the one in the default places.</summary>
    public string? ConfigurationFile { get; private init; }

    /// <summary>Reads one.</summary>
    /// <param name="utf8">What was on standard input.</param>
    /// <param name="command">What it is for.</param>
    /// <exception cref="CniException">It is wrong.</exception>
    public static CniConfiguration Parse(ReadOnlyMemory<byte> utf8, CniCommand command)
    {
        JsonElement document = CniJson.Parse(utf8, Subject);
        CniVersion version = CniVersions.Parse(CniJson.Text(document, VersionKey, Subject, ""), Subject);
        CniVersion first = FirstWith(command);
        if (version < first)
        {
            throw new CniException(
                CniErrorCode.IncompatibleVersion,
                $"Cannot run '{command.ToString().ToUpperInvariant()}': {Subject} has the version {version.Text()}, which does not know it",
                $"Have 'cniVersion' be {first.Text()} or later");
        }

        string name = CniJson.Text(document, "name", Subject, "") ?? "";
        Require(name.Length > 0, "it has no 'name'", "Name the network");
        Require(
            CniRequest.IsId(name), $"{SpecText.Quote(name)} is no name of a network",
            "Use letters, digits, '.', '_' and '-', the first one a letter or digit");
        return new CniConfiguration(version, CniJson.Property(document, "prevResult"))
        {
            Root = Absolute(document, "root") ?? SandboxDirectories.DefaultRoot,
            ConfigurationFile = Absolute(document, "configuration"),
        };
    }

    /// <summary>What VERSION says of itself: the version that it was asked in, whatever that is.</summary>
    public static string VersionAsked(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            return CniJson.Text(CniJson.Parse(utf8, Subject), VersionKey, Subject, "") is { Length: > 0 } text
                ? text
                : CniVersions.Latest.Text();
        }
        catch (CniException)
        {
            return CniVersions.Latest.Text(); // whoever asks need not have a configuration
        }
    }

    /// <summary>What the plugins before this one have made.</summary>
    /// <exception cref="CniException">There is nothing, or it is wrong.</exception>
    public CniResult ReadPrevious() => CniResult.Parse(
        _previous ?? throw new CniException(
            CniErrorCode.InvalidConfiguration,
            $"Cannot use {Subject}: it has no 'prevResult'",
            "'kata-cni' makes no interfaces: name it in the list of 'plugins' after the one that does"),
        Version);

    private static CniVersion FirstWith(CniCommand command) => command switch
    {
        CniCommand.Check => CniVersion.V040,
        CniCommand.Status or CniCommand.Gc => CniVersion.V110,
        _ => CniVersion.V031,
    };

    private static string? Absolute(JsonElement document, string field)
    {
        string? path = CniJson.Text(document, field, Subject, "");
        Require(
            path is null || path.StartsWith('/'), $"'{field}' is {SpecText.Quote(path ?? "")}, which is no absolute path",
            "Give one, or leave it out");
        return path;
    }

    private static void Require(bool valid, string cause, string remedy)
    {
        if (!valid)
        {
            throw new CniException(CniErrorCode.InvalidConfiguration, $"Cannot use {Subject}: {cause}", remedy);
        }
    }
}
