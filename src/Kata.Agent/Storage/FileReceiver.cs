using Kata.Agent.Protocol;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>
/// Puts files that the host sends in pieces below /run/kata-containers. A file appears under its name only when it is whole.
/// </summary>
internal sealed class FileReceiver(string root)
{
    /// <summary>Where CopyFile may write, and nowhere else.</summary>
    public const string GuestRoot = "/run/kata-containers";

    private const uint TypeMask = 0xF000; // S_IFMT, linux/stat.h
    private const uint TypeDirectory = 0x4000;
    private const uint TypeLink = 0xA000;
    private const uint TypeFile = 0x8000;

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: the path lies elsewhere, or a size does not fit.</exception>
    /// <exception cref="LinuxException">EXDEV or ELOOP: something on the way is a link.</exception>
    public void Receive(CopyFileRequest request)
    {
        string relative = Relative(request.Path);
        Directory.CreateDirectory(root);
        using ConfinedDirectory confined = ConfinedDirectory.OpenBeneath(root);
        uint directoryMode = request.DirMode == 0 ? FileModes.ReadableDirectory : request.DirMode & 0xFFF;
        using SafeFileDescriptor parent = confined.OpenParent(relative, directoryMode);
        string name = relative[(relative.LastIndexOf('/') + 1)..];
        uint owner = (uint)request.Uid, group = (uint)request.Gid;
        switch (request.FileMode & TypeMask)
        {
            case TypeDirectory:
                if (LibC.mkdirat(parent, name, request.FileMode & 0xFFF) < 0)
                {
                    LinuxException error = LinuxException.FromLastErrno("mkdirat", $"create the directory '{request.Path}'");
                    if (error.Errno != Errno.EEXIST)
                    {
                        throw error;
                    }
                }

                Own(parent, name, owner, group, request.Path);
                break;
            case TypeLink:
                string target = request.Data.ToStringUtf8();
                _ = LibC.unlinkat(parent, name, 0); // a link is replaced, never followed
                LinuxException.ThrowIfNegative(LibC.symlinkat(target, parent, name), "symlinkat", $"create the link '{request.Path}'");
                Own(parent, name, owner, group, request.Path);
                break;
            case 0 or TypeFile:
                ReceivePart(confined, parent, relative, name, request);
                break;
            default:
                throw AgentException.Invalid($"Cannot copy '{request.Path}': mode {request.FileMode:x} is not a file, directory or link");
        }
    }

    /// <summary>The path below the root, checked word by word; the kernel checks it again when it is used.</summary>
    internal static string Relative(string path)
    {
        string prefix = GuestRoot + "/";
        string relative = path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : "";
        bool valid = relative.Length > 0 && !path.Contains('\0', StringComparison.Ordinal)
            && relative.Split('/').All(static word => word is not ("" or "." or ".."));
        return valid ? relative : throw AgentException.Invalid($"Cannot copy to '{path}': it is not a plain path below '{GuestRoot}'");
    }

    private static unsafe void ReceivePart(
        ConfinedDirectory confined, SafeFileDescriptor parent, string relative, string name, CopyFileRequest request)
    {
        if (request.Offset < 0 || request.FileSize < 0 || request.Offset > request.FileSize - request.Data.Length)
        {
            throw AgentException.Invalid(
                $"Cannot copy '{request.Path}': {request.Data.Length} bytes at {request.Offset} do not fit into {request.FileSize}");
        }

        string partName = $".{name}.part";
        string partPath = relative[..^name.Length] + partName;
        int create = LibC.O_WRONLY | LibC.O_CREAT | LibC.O_NOFOLLOW | (request.Offset == 0 ? LibC.O_TRUNC : 0);
        using SafeFileDescriptor part = confined.OpenFile(partPath, create, FileModes.Private);
        ReadOnlySpan<byte> data = request.Data.Span;
        long offset = request.Offset;
        while (!data.IsEmpty)
        {
            // SAFETY: the span is pinned for the call and the kernel reads at most its length.
            fixed (byte* first = data)
            {
                nint written = LinuxException.ThrowIfNegative(
                    LibC.pwrite(part, first, (nuint)data.Length, offset), "pwrite", $"write '{request.Path}'");
                data = data[(int)written..];
                offset += written;
            }
        }

        if (offset == request.FileSize)
        {
            LinuxException.ThrowIfNegative(
                LibC.fchown(part, (uint)request.Uid, (uint)request.Gid), "fchown", $"set the owner of '{request.Path}'");
            LinuxException.ThrowIfNegative(LibC.fchmod(part, request.FileMode & 0xFFF), "fchmod", $"set the mode of '{request.Path}'");
            LinuxException.ThrowIfNegative(LibC.renameat(parent, partName, parent, name), "renameat", $"finish '{request.Path}'");
        }
    }

    private static void Own(SafeFileDescriptor parent, string name, uint owner, uint group, string path) => LinuxException.ThrowIfNegative(
        LibC.fchownat(parent, name, owner, group, LibC.AT_SYMLINK_NOFOLLOW), "fchownat", $"set the owner of '{path}'");
}
