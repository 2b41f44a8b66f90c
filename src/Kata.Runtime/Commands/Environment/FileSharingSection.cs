using Kata.Linux;
using Kata.Storage;

namespace Kata.Runtime.Commands;

/// <summary>What files of the host can do in a container, with this virtiofsd and guest. A table of <c>kata-env</c>.</summary>
/// <param name="Daemon">Which virtiofsd and its version, or why that cannot be told.</param>
/// <param name="OpenFiles">
/// How many descriptors it gets. It has one for each file that the guest knows; past that the guest gets ENFILE or EMFILE.
/// </param>
/// <param name="MappedAppends">Whether a shared mapping of a file opened with O_APPEND is written in its place.</param>
/// <param name="AdditionalGroups">
/// Whether a process can make files where only an additional group of it may, and with CAP_DAC_OVERRIDE anywhere.
/// </param>
/// <param name="HostLocks">Whether locks hold against the host and other pods.</param>
/// <param name="PosixAcls">Whether access control lists decide in the guest.</param>
/// <param name="UnnamedFiles">Whether O_TMPFILE works.</param>
internal sealed record FileSharingSection(
    string Daemon, ulong OpenFiles, bool MappedAppends, bool AdditionalGroups, bool HostLocks, bool PosixAcls, bool UnnamedFiles)
{
    public static async Task<FileSharingSection> ReadAsync(string daemon)
    {
        using OpenFileLimit files = OpenFileLimit.RaiseHard(VirtioFsDaemon.WantedFiles);
        try
        {
            VirtioFsDaemonProgram program = await VirtioFsDaemonProgram.AskAsync(daemon, TimeProvider.System);
            // The last three no daemon and no guest has yet: docs/limitations.md says why.
            return new FileSharingSection(program.ToString(), files.Hard, program.MapsAppendedFiles, true, false, false, false);
        }
        catch (StorageException error)
        {
            return new FileSharingSection(error.Message, files.Hard, false, false, false, false, false);
        }
    }
}
