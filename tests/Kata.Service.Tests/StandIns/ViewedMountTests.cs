using Kata.Linux;

namespace Kata.Service.Tests;

public sealed class ViewedMountTests
{
    [Fact]
    public void Parse_ArgumentsOfSeveral_GivesThemBack()
    {
        ViewedMount[] mounts =
        [
            new("/a b,c\n", "/--terminal", ReadOnly: true, Recursive: true, IdMap: null),
            new("--x", "/d", ReadOnly: false, Recursive: false, new MountIdMap("0 1000 1\n1 2 3\n", "0 5 6\n")),
            new(null, "/t", ReadOnly: true, Recursive: false, IdMap: null), new("/e", "/f", ReadOnly: false, Recursive: true, IdMap: null),
        ];
        Assert.Equal(mounts, ViewedMount.Parse([.. mounts.SelectMany(static mount => mount.ToArguments())]));
    }
}
