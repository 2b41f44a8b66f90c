using System.CommandLine;

namespace Kata.Runtime.Tests;

public sealed class PosixOrderTests
{
    private static readonly RootCommand s_root = CommandLine.Build(out _);

    [Theory]
    [InlineData("exec ID ls -t", "exec -- ID ls -t")]
    [InlineData("exec -t ID ls -t", "exec -t -- ID ls -t")]
    [InlineData("exec -it ID sh", "exec -it -- ID sh")] // -i is none of ours: the parser says so
    [InlineData("exec -dt ID sh -c x", "exec -dt -- ID sh -c x")]
    [InlineData("exec -te A=B ID env", "exec -te A=B -- ID env")]
    [InlineData("exec -e A ID env", "exec -e A -- ID env")]
    [InlineData("exec -eAt ID ls", "exec -eAt -- ID ls")] // the value is in the same word
    [InlineData("exec -uc ID ls", "exec -uc -- ID ls")]
    [InlineData("exec --env=A=B ID env", "exec --env=A=B -- ID env")]
    [InlineData("exec --cwd /x --env A=B ID ls -l", "exec --cwd /x --env A=B -- ID ls -l")]
    [InlineData("exec --process p.json ID", "exec --process p.json -- ID")]
    [InlineData("exec -- ID ls -t", "exec -- ID ls -t")]
    [InlineData("--root X run -d -b DIR ID", "--root X run -d -b DIR -- ID")]
    [InlineData("--root=X --log-format json run ID", "--root=X --log-format json run -- ID")]
    [InlineData("--debug --systemd-cgroup run --root X ID", "--debug --systemd-cgroup run --root X -- ID")]
    [InlineData("--root run run ID", "--root run run -- ID")] // a value may look like a command
    [InlineData("kill --all ID 9", "kill --all -- ID 9")]
    [InlineData("kill ID -9", "kill -- ID -9")]
    [InlineData("delete -f A B", "delete -f -- A B")]
    [InlineData("check", "check")]
    [InlineData("list", "list")]
    [InlineData("state -", "state -- -")]
    [InlineData("unheard ID -x", "unheard ID -x")]
    [InlineData("--root A --root B list", "--root B list")] // the last one counts, as with runc
    [InlineData("--root=A --debug --root B --debug state --root C ID --root D", "--debug state --root C -- ID --root D")]
    [InlineData("run -b A --bundle B -d -b=C ID -b D", "run -d -b=C -- ID -b D")]
    [InlineData("exec -e A=1 -e B=2 ID env", "exec -e A=1 -e B=2 -- ID env")] // has many values
    [InlineData("--root A --root", "--root")]
    [InlineData("--help", "--help")]
    [InlineData("-- run", "-- run")]
    [InlineData("", "")]
    public void Apply_Table(string arguments, string expected) =>
        Assert.Equal(expected, string.Join(' ', PosixOrder.Apply(s_root, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
}
