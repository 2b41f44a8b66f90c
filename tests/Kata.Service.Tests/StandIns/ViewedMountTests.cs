namespace Kata.Service.Tests;

public sealed class ViewedMountTests
{
    [Fact]
    public void Parse_ArgumentsOfSeveral_GivesThemBack()
    {
        ViewedMount[] mounts =
        [
            new("/a b,c\n", "/--terminal", ReadOnly: true, Recursive: true), new("--x", "/d", ReadOnly: false, Recursive: false),
            new(null, "/t", ReadOnly: true, Recursive: false), new("/e", "/f", ReadOnly: false, Recursive: true),
        ];
        Assert.Equal(mounts, ViewedMount.Parse([.. mounts.SelectMany(static mount => mount.ToArguments())]));
    }
}
