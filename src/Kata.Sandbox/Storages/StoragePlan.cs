using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>A storage as it was asked for, checked as far as that needs nothing of the host.</summary>
internal sealed record StoragePlan
{
    private const int MaxNameLength = 64;

    /// <summary>1 to 64 letters, digits, '.', '_' and '-', the only one of the pod; the container of a root file system.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path of an image or a block device, in the mount namespace of the pod's caller.</summary>
    public required string Source { get; init; }

    public bool ReadOnly { get; init; }

    /// <summary>Absolute path in the guest; null to leave it as a device.</summary>
    public string? MountPoint { get; init; }

    /// <summary>As mount(8) calls it; null to find it out. Only with <see cref="MountPoint"/>.</summary>
    public string? FileSystem { get; init; }

    /// <summary>Mount options, one each. Only with <see cref="MountPoint"/>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Whether it is a container's root file system, which is that container's alone and none of the pod's storages.</summary>
    public bool IsRoot { get; init; }

    /// <summary>What it is, for people.</summary>
    public string Text => IsRoot ? $"the root file system of '{Name}'" : $"the storage '{Name}'";

    /// <summary>Whether a path of the guest lies on the storage.</summary>
    public bool Holds(string path) => new StorageState(Name, Source, MountPoint).Holds(path);

    /// <summary>Checks it.</summary>
    /// <exception cref="InvalidSpecException">A field is wrong; the text says which.</exception>
    public StoragePlan Checked()
    {
        bool named = Name.Length is > 0 and <= MaxNameLength && char.IsAsciiLetterOrDigit(Name[0])
            && Name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        Require(named, "/name", $"'{PrintableText.Escape(Name)}' is no name for a storage",
            $"Use 1 to {MaxNameLength} letters, digits, '.', '_' and '-', the first one a letter or digit");
        Require(
            IsPath(Source), "/source", $"'{PrintableText.Escape(Source)}' is not an absolute path",
            "Name an image or a block device of the host");
        Require(
            MountPoint is not { } point || (IsPath(point) && Path.GetFullPath(point) == point && !point.EndsWith('/')), "/mount_point",
            $"'{PrintableText.Escape(MountPoint ?? "")}' is not an absolute path without '..', '//' or a slash at its end",
            "Name a directory of the guest, or leave it out for a device");
        Require(
            MountPoint is not null || (FileSystem is null && Options.Count == 0), "/mount_point",
            "a file system or options are given, and no mount point",
            "Name a mount point, or leave the others out");
        bool isName = (FileSystem ?? "x").All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') && FileSystem is not "";
        Require(
            isName, "/filesystem",
            $"'{PrintableText.Escape(FileSystem ?? "")}' is no name of a file system", "Use for example ext4, or leave it out");
        foreach (string option in Options)
        {
            Require(option.Length > 0 && !option.Contains('\0'), "/options", "an option is empty or holds a NUL", "Correct it");
        }

        return this;
    }

    private static bool IsPath(string path) => path.StartsWith('/') && !path.Contains('\0');

    private static void Require(bool valid, string field, string what, string fix)
    {
        if (!valid)
        {
            throw new InvalidSpecException(field, what, fix);
        }
    }
}
