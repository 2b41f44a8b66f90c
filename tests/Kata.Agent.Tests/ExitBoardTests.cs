using Kata.Agent.Processes;
using Kata.Linux;

namespace Kata.Agent.Tests;

public sealed class ExitBoardTests
{
    private readonly ExitBoard _board = new();

    [Fact]
    public async Task Claim_ExitCameFirst_IsFound()
    {
        long since = _board.Now;
        _board.Post(7, new ExitStatus(3, null));
        Assert.Equal(new ExitStatus(3, null), await _board.Claim(7, since).WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(0, _board.UnclaimedCount);
    }

    [Fact]
    public async Task Claim_ExitComesLater_Completes()
    {
        Task<ExitStatus> exit = _board.Claim(7, _board.Now);
        Assert.False(exit.IsCompleted);
        _board.Post(8, new ExitStatus(1, null));
        _board.Post(7, new ExitStatus(null, 9));
        Assert.Equal(137, (await exit.WaitAsync(TimeSpan.FromSeconds(5))).ToShellCode());
    }

    [Fact]
    public void Claim_ReusedPid_IgnoresTheOlderExit()
    {
        _board.Post(7, new ExitStatus(3, null));
        Assert.False(_board.Claim(7, _board.Now).IsCompleted);
    }

    [Fact]
    public void Post_ManyOrphans_KeepsABoundedNumberOfTheNewest()
    {
        long since = _board.Now;
        for (int pid = 1; pid <= ExitBoard.UnclaimedLimit + 10; pid++)
        {
            _board.Post(pid, new ExitStatus(0, null));
        }

        Assert.Equal(ExitBoard.UnclaimedLimit, _board.UnclaimedCount);
        Assert.False(_board.Claim(1, since).IsCompleted);
        Assert.True(_board.Claim(ExitBoard.UnclaimedLimit + 10, since).IsCompleted);
    }

    [Fact]
    public void Post_SamePidOverAndOver_StaysBounded()
    {
        for (int i = 0; i < ExitBoard.UnclaimedLimit * 3; i++)
        {
            _board.Post(5, new ExitStatus(i & 0xff, null));
        }

        Assert.Equal(1, _board.UnclaimedCount);
    }

    [Theory]
    [InlineData(0x0000, 0, null, 0)]
    [InlineData(0x0700, 7, null, 7)]
    [InlineData(0xff00, 255, null, 255)]
    [InlineData(0x0009, null, 9, 137)]
    [InlineData(0x008b, null, 11, 139)]
    public void FromWaitStatus_Words_DecodeAsTheShellDoes(int word, int? code, int? signal, int shell)
    {
        var status = ExitStatus.FromWaitStatus(word);
        Assert.Equal((code, signal, shell), (status.Code, status.Signal, status.ToShellCode()));
    }
}
