using Kata.Hypervisor;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Network;
using Kata.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Kata.Sandbox.Tests;

public sealed class VhostUserStepTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _clock = new();

    private string SocketPath => _directory.File("card.sock");

    private string MachineDirectory => _directory.File("machine");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Do_ProgramListens_ConnectsAndLeavesItsFile()
    {
        using SafeFileDescriptor program = UnixSocket.Listen(SocketPath);
        Assert.False(VhostUserStep.IsToListen(SocketPath, null));
        VhostUserStep step = Step(listens: false);

        await step.DoAsync(Token);

        Assert.True(Readiness.IsReadable(program)); // somebody wants in
        Assert.Empty(step.Records);
        using (var descriptors = new DeviceDescriptors())
        {
            step.HandOver(descriptors);
            Assert.True(FileStatus.Of(Assert.Single(descriptors.Of(step.Device))).IsDirectory);
        }

        UnixSocket.Connect(Path.Combine(MachineDirectory, "socket")).Dispose(); // as the machine does
        await step.UndoAsync(Token);
        Assert.True(File.Exists(SocketPath));
        Assert.False(Directory.Exists(MachineDirectory));
    }

    [Fact]
    public async Task Do_NothingThere_ListensUntilTheProgramAsksAndTakesTheFileAwayAgain()
    {
        Assert.True(VhostUserStep.IsToListen(SocketPath, null));
        VhostUserStep step = Step(listens: true);
        Task done = step.DoAsync(Token);
        Assert.False(done.IsCompleted);
        Assert.False(Directory.Exists(MachineDirectory)); // a machine that connected now would wait
        Assert.Equal(FileModes.Private | (6 << 3), SocketAcquisition.KindOf(SocketPath, 0)!.Value.Mode & FileModes.OpenToAll);

        using SafeFileDescriptor program = UnixSocket.Connect(SocketPath);
        await done.WaitAsync(s_limit, Token);

        Assert.Equal([new SocketAcquisition(SocketPath)], step.Records);
        UnixSocket.Connect(Path.Combine(MachineDirectory, "socket")).Dispose();
        await step.UndoAsync(Token);
        Assert.False(File.Exists(SocketPath));
        Assert.False(Directory.Exists(MachineDirectory));
    }

    [Fact]
    public async Task Do_NobodyConnects_SaysHowAndLeavesNothing()
    {
        Task done = Step(listens: true).DoAsync(Token);
        _clock.Advance(s_limit + TimeSpan.FromSeconds(1));

        NetworkException error = await Assert.ThrowsAsync<NetworkException>(() => done.WaitAsync(s_limit, Token));
        Assert.Contains($"'{SocketPath}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("no program has connected there within 30 s. Have it connect", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task Do_CalledOff_LeavesNothing()
    {
        using var ending = new CancellationTokenSource();
        Task done = Step(listens: true).DoAsync(ending.Token);
        await ending.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => done.WaitAsync(s_limit, Token));
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task Do_ProgramThatHasEnded_SaysThatNobodyListens()
    {
        UnixSocket.Listen(SocketPath).Dispose();
        NetworkException error = await Assert.ThrowsAsync<NetworkException>(() => Step(listens: false).DoAsync(Token));
        Assert.Contains("nobody listens there. Start the program whose socket it is", error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(SocketPath));
    }

    [Fact]
    public async Task Do_DirectoryIsMissing_SaysSo()
    {
        NetworkException error = await Assert.ThrowsAsync<NetworkException>(
            () => Step(listens: true, _directory.File("none/card.sock")).DoAsync(Token));
        Assert.Contains("its directory is not there. Make it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsToListen_SomethingElseThere_IsRefused()
    {
        File.WriteAllText(SocketPath, "");
        NetworkException error = Assert.Throws<NetworkException>(() => VhostUserStep.IsToListen(SocketPath, null));
        Assert.Contains("that is no socket. Name the program's", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_OfTheJournal_TakesSocketsOnly()
    {
        UnixSocket.Listen(SocketPath).Dispose();
        Acquisition thing = Acquisition.Of("Socket", SocketPath);
        await thing.ReleaseAsync(Token);
        Assert.False(File.Exists(SocketPath));
        await thing.ReleaseAsync(Token); // nothing there any more

        Directory.CreateDirectory(SocketPath);
        await thing.ReleaseAsync(Token);
        Assert.True(Directory.Exists(SocketPath));
        Directory.Delete(SocketPath);
        UnixSocket.Listen(_directory.File("other")).Dispose();
        File.CreateSymbolicLink(SocketPath, _directory.File("other"));
        await thing.ReleaseAsync(Token);
        Assert.True(File.Exists(_directory.File("other")));
        Assert.False(SocketAcquisition.KindOf(SocketPath, LibC.O_NOFOLLOW)!.Value.IsSocket);
    }

    private VhostUserStep Step(bool listens, string? path = null) => new(
        path ?? SocketPath, listens, new VhostUserNetworkDevice(new DeviceId("direct1"), "02:00:00:00:00:01"), MachineDirectory,
        (uint.MaxValue, uint.MaxValue), null, s_limit, _clock);
}
