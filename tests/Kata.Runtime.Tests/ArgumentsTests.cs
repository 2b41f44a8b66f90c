namespace Kata.Runtime.Tests;

public sealed class ArgumentsTests
{
    [Theory]
    [InlineData("exec -e TOKEN=hunter2 ID env", "exec -e TOKEN=... ID env")]
    [InlineData("exec --env TOKEN=hunter2 ID env", "exec --env TOKEN=... ID env")]
    [InlineData("exec --env=TOKEN=hunter2 ID env", "exec --env=TOKEN=... ID env")]
    [InlineData("exec --env:TOKEN=hunter2 ID env", "exec --env:TOKEN=... ID env")]
    [InlineData("exec -eTOKEN=hunter2 ID env", "exec -eTOKEN=... ID env")]
    [InlineData("exec -e=TOKEN=hunter2 ID env", "exec -e=TOKEN=... ID env")]
    [InlineData("exec -te TOKEN=hunter2 ID env", "exec -te TOKEN=... ID env")]
    [InlineData("exec -teTOKEN=hunter2 ID env", "exec -teTOKEN=... ID env")]
    [InlineData("exec -e TOKEN=hunter2=x -e B= ID env", "exec -e TOKEN=... -e B=... ID env")]
    [InlineData("exec -e TOKEN ID env", "exec -e TOKEN ID env")]
    [InlineData("--root=/x exec --cwd=/tmp ID sh", "--root=/x exec --cwd=/tmp ID sh")]
    [InlineData("run --bundle=/a=b ID", "run --bundle=/a=b ID")]
    [InlineData("", "")]
    public void ForLog_Table(string arguments, string expected) =>
        Assert.Equal(expected, Arguments.ForLog(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
}
