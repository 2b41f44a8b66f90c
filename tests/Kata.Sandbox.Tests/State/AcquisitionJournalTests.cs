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
            journal.Record(new CgroupAcquisition("/sys/fs/cgroup/kata/a"));
            journal.Record(new ProcessAcquisition("10 20"));
            journal.Record(new DirectoryAcquisition("/run/kata/a/with \"quotes\" and\nlines"));
        }

        Assert.Equal(
            [
                new DirectoryAcquisition("/run/kata/a/with \"quotes\" and\nlines"), new ProcessAcquisition("10 20"),
                new CgroupAcquisition("/sys/fs/cgroup/kata/a"),
            ],
            AcquisitionJournal.ReadHeld(JournalPath));
    }

    [Fact]
    public void ReadHeld_AfterRelease_OnlyTheNewestEqualOneIsGone()
    {
        using var journal = AcquisitionJournal.Open(JournalPath);
        journal.Record(new FileAcquisition("/a"));
        journal.Record(new FileAcquisition("/b"));
        journal.Record(new FileAcquisition("/a"));
        journal.Release(new FileAcquisition("/a"));
        journal.Release(new DirectoryAcquisition("/b")); // never held as such
        Assert.Equal(["/b", "/a"], AcquisitionJournal.ReadHeld(JournalPath).Select(static item => item.Value));
    }

    [Theory]
    [InlineData("{\"kind\":\"File\",\"val")]
    [InlineData("{\"kind\":null,\"value\":\"/x\"}")]
    [InlineData("\0\0\0")]
    [InlineData("null")]
    public void ReadHeld_TornLastLine_IsSkipped(string tail)
    {
        using (var journal = AcquisitionJournal.Open(JournalPath))
        {
            journal.Record(new FileAcquisition("/a"));
        }

        File.AppendAllText(JournalPath, tail);
        Assert.Equal("/a", Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
    }

    [Fact]
    public void ReadHeld_KindFromTheFuture_IsToldWithItsName()
    {
        File.WriteAllText(JournalPath, "{\"kind\":\"Teleporter\",\"value\":\"7\"}\n{\"kind\":\"File\",\"value\":\"/a\"}\n");

        Assert.Equal([new FileAcquisition("/a"), new UnknownAcquisition("Teleporter", "7")], AcquisitionJournal.ReadHeld(JournalPath));
    }

    [Fact]
    public void Record_AfterATornLine_IsReadBack()
    {
        File.WriteAllText(JournalPath, "{\"kind\":\"File\",\"val");
        using (var journal = AcquisitionJournal.Open(JournalPath))
        {
            journal.Record(new FileAcquisition("/made"));
        }

        Assert.Equal("/made", Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
    }

    [Fact]
    public void Record_FullDisk_ThrowsBeforeTheThingIsMade()
    {
        using var journal = AcquisitionJournal.Open("/dev/full");
        Kata.Linux.LinuxException error = Assert.Throws<Kata.Linux.LinuxException>(() => journal.Record(new FileAcquisition("/a")));
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
        journal.Record(new ServiceAcquisition("1 1"));
        journal.Record(new CgroupAcquisition("/kata/a"));
        for (int i = 0; i < 20_000; i++)
        {
            journal.Record(new ProcessAcquisition($"{i} 7"));
            if (i == 10)
            {
                continue; // lives as long as the pod
            }

            journal.Release(new ProcessAcquisition($"{i} 7"));
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
        journal.Record(new ServiceAcquisition("1 1"));
        for (int i = 0; i < 2_000; i++)
        {
            journal.Record(new ProcessAcquisition($"{i} 7"));
            journal.Release(new ProcessAcquisition($"{i} 7"));
        }

        Assert.Equal("1 1", Assert.Single(AcquisitionJournal.ReadHeld(JournalPath)).Value);
    }

    [Fact]
    public void ReadHeld_WhileItIsRewritten_AlwaysFindsWhatIsHeld()
    {
        using var journal = AcquisitionJournal.Open(JournalPath);
        journal.Record(new ServiceAcquisition("1 1"));
        var writer = new Thread(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                journal.Record(new ProcessAcquisition("2 2"));
                journal.Release(new ProcessAcquisition("2 2"));
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
