using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>Whose a storage's directory is.</summary>
internal static class DirectoryOwner
{
    private const uint SharedMode = FileModes.GroupDirectory; // new files get the directory's group

    /// <summary>Gives the directory to the group that the storage names, if it does.</summary>
    public static void SetGroup(Protocol.Storage storage, string path)
    {
        if (storage.FsGroup is { } group)
        {
            LinuxException.ThrowIfNegative(
                LibC.chown(path, uint.MaxValue, group.GroupId), "chown", $"give '{path}' to the group {group.GroupId}");
            SetMode(path, SharedMode);
        }
    }

    public static void SetMode(string path, uint mode) =>
        LinuxException.ThrowIfNegative(LibC.chmod(path, mode & 0xFFF), "chmod", $"set the mode of '{path}'");
}
