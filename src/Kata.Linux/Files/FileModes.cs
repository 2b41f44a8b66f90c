namespace Kata.Linux;

/// <summary>Permissions of files and directories by name, as C# has no octal numbers.</summary>
internal static class FileModes
{
    /// <summary>0600, a file of its owner's.</summary>
    public const uint Private = 6 << 6;

    /// <summary>0700, a directory of its owner's.</summary>
    public const uint PrivateDirectory = 7 << 6;

    /// <summary>0640, a file that its group may read.</summary>
    public const uint GroupReadable = (6 << 6) | (4 << 3);

    /// <summary>0644, a file that everybody may read.</summary>
    public const uint Readable = (6 << 6) | (4 << 3) | 4;

    /// <summary>0755, a directory that everybody may read and enter.</summary>
    public const uint ReadableDirectory = (7 << 6) | (5 << 3) | 5;

    /// <summary>0444, a file that nobody may write.</summary>
    public const uint ReadOnly = (4 << 6) | (4 << 3) | 4;

    /// <summary>0666, a file that everybody may write.</summary>
    public const uint Open = (6 << 6) | (6 << 3) | 6;

    /// <summary>0777, what everybody may do everything with.</summary>
    public const uint OpenToAll = (7 << 6) | (7 << 3) | 7;

    /// <summary>0111, the bits of which one makes a program.</summary>
    public const uint AnyExecute = (1 << 6) | (1 << 3) | 1;

    /// <summary>0022, the mask under which others may read and not write.</summary>
    public const uint OthersReadMask = (2 << 3) | 2;

    /// <summary>0117, the mask under which a socket has 0660.</summary>
    public const uint OthersMask = (1 << 6) | (1 << 3) | 7;

    /// <summary>02775, a directory in which new files get its group.</summary>
    public const uint GroupDirectory = (2 << 9) | (7 << 6) | (7 << 3) | 5;
}
