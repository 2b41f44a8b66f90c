using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class AcquisitionJournalTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string JournalPath => _directory.File("journal");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void ReadHeld_NoJournal_HoldsNothing() => Assert.Empty(AcquisitionJournal.ReadHeld(JournalPath));

    [Fact]
    public void ReadHeld_SeveralThings_NewestFirst()
    {
        using (var journal = AcquisitionJournal.Open(JournalPath))
        {
            journal.Record(AcquisitionKind.Cgroup, "/sys/fs/cgroup/kata/a");
            journal.Record(AcquisitionKind.Process, "10 20");
            journal.Record(AcquisitionKind.Directory, "/run/kata/a/with \"quotes\" and\nlines");
        }

        Assert.Equal(
            [(AcquisitionKind.Directory, "/run/kata/a/with \"quotes\" and\nlines"), (AcquisitionKind.Process, "10 20"), (AcquisitionKind.Cgroup, "/sys/fs/cgroup/kata/a")],
            AcquisitionJournal.ReadHeld(JournalPath).Select(static item => (item.Kind, item.Value)));
    }

    [Fact]
    public void ReadHeld_AfterRelease_OnlyTheNewestEqualOneIsGone()
    {
        using var journal = AcquisitionJournal.Open(JournalPath);
        journal.Record(AcquisitionKind.File, "/a");
        journal.Record(AcquisitionKind.File, "/b");
        journal.Record(AcquisitionKind.File, "/a");
        journal.Release(AcquisitionKind.File, "/a");
        journal.Release(AcquisitionKind.Directory, "/b"); // never held as such
        Assert.Equal(["/b", "/a"], AcquisitionJournal.ReadHeld(JournalPath).Select(static item => item.Value));
    }

    [Theory]
    [InlineData("{\"kind\":\"File\",\"val")]
    [InlineData("{\"kind\":\"Unheard\",\"value\":\"/x\"}")]
    [InlineData("\0\0\0")]
    [InlineData("null")]
    public void ReadHeld_TornOrForeignLastLine_IsSkipped(string tail)
    {
        using (var journal = AcquisitionJournal.Open(JournalPath))
        {
            journal.Record(AcquisitionKind.File, "/a");
        }

        File.AppendAllText(JournalPath, tail);
        Assert.Equal("/a", Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
    }

    [Fact]
    public void Record_AfterATornLine_IsReadBack()
    {
        File.WriteAllText(JournalPath, "{\"kind\":\"File\",\"val");
        using (var journal = AcquisitionJournal.Open(JournalPath))
        {
            journal.Record(AcquisitionKind.File, "/made");
        }

        Assert.Equal("/made", Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
    }

    [Fact]
    public void Record_FullDisk_ThrowsBeforeTheThingIsMade()
    {
        using var journal = AcquisitionJournal.Open("/dev/full");
        Kata.Linux.LinuxException error = Assert.Throws<Kata.Linux.LinuxException>(() => journal.Record(AcquisitionKind.File, "/a"));
        Assert.Equal(Kata.Linux.Errno.ENOSPC, error.Errno);
    }

    [Fact]
    public void ReadHeld_HugeFile_SaysWhatToDo()
    {
        using (FileStream file = File.Create(JournalPath))
        {
            file.SetLength((16 * 1024 * 1024) + 1);
        }

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => AcquisitionJournal.ReadHeld(JournalPath));
        Assert.EndsWith("Remove the pod's directory by hand", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Release_VeryManyThings_TheFileStaysSmallAndSaysTheSame()
    {
        using var journal = AcquisitionJournal.Open(JournalPath);
        journal.Record(AcquisitionKind.Service, "1 1");
        journal.Record(AcquisitionKind.Cgroup, "/kata/a");
        for (int i = 0; i < 20_000; i++)
        {
            journal.Record(AcquisitionKind.Process, $"{i} 7");
            if (i == 10)
            {
                continue; // lives as long as the pod
            }

            journal.Release(AcquisitionKind.Process, $"{i} 7");
            Assert.InRange(new FileInfo(JournalPath).Length, 1, 65 * 1024);
        }

        Assert.Equal(["10 7", "/kata/a", "1 1"], AcquisitionJournal.ReadHeld(JournalPath).Select(static item => item.Value));
        Assert.Contains("Service", File.ReadLines(JournalPath).First(), StringComparison.Ordinal); // the order is that of making
        Assert.False(File.Exists(JournalPath + ".new"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(JournalPath));
    }

    [Fact]
    public void Release_CannotBeRewritten_GoesOnInTheLongerFile()
    {
        Directory.CreateDirectory(JournalPath + ".new");
        using var journal = AcquisitionJournal.Open(JournalPath);
        journal.Record(AcquisitionKind.Service, "1 1");
        for (int i = 0; i < 2_000; i++)
        {
            journal.Record(AcquisitionKind.Process, $"{i} 7");
            journal.Release(AcquisitionKind.Process, $"{i} 7");
        }

        Assert.Equal("1 1", Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
    }

    [Fact]
    public void ReadHeld_WhileItIsRewritten_AlwaysFindsWhatIsHeld()
    {
        using var journal = AcquisitionJournal.Open(JournalPath);
        journal.Record(AcquisitionKind.Service, "1 1");
        var writer = new Thread(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                journal.Record(AcquisitionKind.Process, "2 2");
                journal.Release(AcquisitionKind.Process, "2 2");
            }
        });
        writer.Start();
        do
        {
            Assert.Equal("1 1", AcquisitionJournal.ReadHeld(JournalPath)[^1].Value);
        }
        while (writer.IsAlive);

        writer.Join();
    }

    [Fact]
    public void Open_NewJournal_IsForTheOwnerOnly()
    {
        AcquisitionJournal.Open(JournalPath).Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(JournalPath));
    }
}
