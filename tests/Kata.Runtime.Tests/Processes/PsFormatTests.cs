using Kata.Agent.Protocol.Extension;
using Kata.Runtime.Processes;

namespace Kata.Runtime.Tests.Processes;

public sealed class PsFormatTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 12, 30, 0, TimeSpan.Zero);

    private static readonly GuestProcess[] s_processes =
    [
        new()
        {
            Pid = 1, GuestPid = 300, Name = "sh", Command = "sh -c sleep 5", State = "S", Threads = 1, SessionId = 1, GroupId = 1,
            CpuMs = 65_000, AgeMs = 130_000, ResidentBytes = 1 << 20, VirtualBytes = 4 << 20, ResidentPermille = 12,
        },
        new()
        {
            Pid = 12, GuestPid = 312, ContainerParentPid = 1, Name = "sleep", Command = "sleep 5\u001b[2J", Uid = 1000, Gid = 50,
            State = "R", Threads = 3, Nice = 5, Terminal = 0x8801, Foreground = true, AgeMs = 90_061_000, CpuMs = 3_661_000,
            ResidentBytes = 4096, VirtualBytes = 8192,
        },
    ];

    [Fact]
    public void Render_NoOptions_IsFullFormat() => Assert.Equal(
        """
        UID          PID    PPID  C STIME TTY          TIME CMD
        root           1       0 50 12:27 ?        00:01:05 sh -c sleep 5
        1000          12       1  4 Nov22 pts/1    01:01:01 sleep 5\x1b[2J

        """,
        Render());

    [Fact]
    public void Render_Aux_IsUserFormat() => Assert.Equal(
        """
        USER         PID %CPU %MEM    VSZ   RSS TTY      STAT  START   TIME COMMAND
        root           1 50.0  1.2   4096  1024 ?        Ss    12:27   1:05 sh -c sleep 5
        1000          12  4.0  0.0      8     4 pts/1    RNl+  Nov22  61:01 sleep 5\x1b[2J

        """,
        Render("aux"));

    [Theory]
    [InlineData("-e", "    PID TTY          TIME CMD")]
    [InlineData("-A", "    PID TTY          TIME CMD")]
    [InlineData("-ef", "UID          PID    PPID  C STIME TTY          TIME CMD")]
    [InlineData("-e -f", "UID          PID    PPID  C STIME TTY          TIME CMD")]
    [InlineData("ax", "    PID TTY      STAT   TIME COMMAND")]
    [InlineData("-aux", "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT  START   TIME COMMAND")]
    [InlineData("-o pid,ppid,user,uid", "    PID    PPID USER       UID")]
    [InlineData("-eo pid,comm", "    PID COMMAND")]
    [InlineData("-opid -o comm", "    PID COMMAND")]
    [InlineData("--format=pid,args", "    PID COMMAND")]
    [InlineData("--format pid,args", "    PID COMMAND")]
    [InlineData("axo pid,etime,time,stat,rss,vsz,pcpu,tty", "    PID     ELAPSED     TIME STAT   RSS    VSZ %CPU TTY")]
    [InlineData("-o pid=NUMBER,a", "NUMBER,a")]
    public void Render_Options_HaveTheirHeadings(string options, string expected) =>
        Assert.Equal(expected, Render(options.Split(' ')).Split('\n')[0]);

    [Theory]
    [InlineData("-o pid=", "1\n12\n")]
    [InlineData("-o pid --no-headers", "      1\n     12\n")]
    [InlineData("ho pid", "      1\n     12\n")]
    [InlineData("-p 12 -o pid", "    PID\n     12\n")]
    [InlineData("-p 1,12 -p 7 -o pid=", "1\n12\n")]
    [InlineData("--pid=99 -o pid", "    PID\n")]
    [InlineData("-o etime= -o comm=", "   02:10 sh\n1-01:01:01 sleep\n")]
    public void Render_Options_SelectAndHideHeadings(string options, string expected)
    {
        Assert.Equal(Normal(expected), Normal(Render(options.Split(' '))));

        static string Normal(string text) => string.Join('\n', text.Split('\n').Select(static line => line.Trim()));
    }

    [Theory]
    [InlineData("-Z")]
    [InlineData("-l")]
    [InlineData("-u root")]
    [InlineData("--forest")]
    [InlineData("--no-headers=x")]
    [InlineData("f")]
    [InlineData("99")]
    [InlineData("-eZ")]
    public void Parse_UnknownOption_SaysWhichWork(string options)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => PsFormat.Parse(options.Split(' ')));
        Assert.StartsWith(
            $"Cannot use the ps option '{options.Split(' ')[0]}': it is not supported. Of ps(1) a container's list knows -e",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_UnknownColumn_ListsTheKnown() =>
        Assert.Contains(
            ", pid, ", Assert.Throws<ArgumentException>(() => PsFormat.Parse(["-o", "pid,lstart"])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("-o")]
    [InlineData("-p")]
    [InlineData("--format")]
    public void Parse_ValueMissing_SaysSo(string option) =>
        Assert.Contains(
            "its value is missing", Assert.Throws<ArgumentException>(() => PsFormat.Parse([option])).Message, StringComparison.Ordinal);

    private static string Render(params string[] options) => PsFormat.Parse(options).Render(s_processes, s_now);
}
