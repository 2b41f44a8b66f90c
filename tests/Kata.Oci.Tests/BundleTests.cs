using System.Text;

namespace Kata.Oci.Tests;

public sealed class BundleTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kata-bundle-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Load_GoodBundle_HasSpecAndAbsoluteRootfs()
    {
        Write(Specs.Minimal);
        Directory.CreateDirectory(Path.Combine(_directory, "rootfs"));

        Bundle bundle = Bundle.Load(_directory);

        Assert.Equal(_directory, bundle.Directory);
        Assert.Equal(Path.Combine(_directory, "rootfs"), bundle.RootfsPath);
        Assert.Equal(["true"], bundle.Spec.Process!.Args!);
        Assert.Empty(bundle.Warnings);
    }

    [Fact]
    public void Load_NoRootfs_SaysWhichAndWhatToDo()
    {
        Write(Specs.Minimal);

        Assert.Equal(
            $"Cannot load the bundle '{_directory}': the root file system '{_directory}/rootfs' does not exist. "
            + "Unpack an image there, or correct /root/path in config.json",
            Message());
    }

    [Fact]
    public void Load_RootfsIsAFile_SaysSo()
    {
        Write(Specs.Minimal);
        File.WriteAllText(Path.Combine(_directory, "rootfs"), "");

        Assert.Contains("/rootfs' is not a directory", Message(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoConfig_SaysWhatToDo() =>
        Assert.Equal(
            $"Cannot load the bundle '{_directory}': there is no config.json in it. "
            + "Write one ('kata-runtime spec' makes a template), or name another directory with --bundle",
            Message());

    [Fact]
    public void Load_NoDirectory_SaysSo() =>
        Assert.Equal(
            "Cannot load the bundle '/nonexistent/b': the directory does not exist. "
            + "Name the directory that holds config.json with --bundle",
            Assert.Throws<InvalidSpecException>(() => Bundle.Load("/nonexistent/b")).Message);

    [Fact]
    public void Load_ConfigIsADirectory_SaysSo()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "config.json"));

        Assert.Equal(
            $"Cannot load the bundle '{_directory}': config.json cannot be read: it is a directory. It must be a readable file", Message());
    }

    [Fact]
    public void Load_BadField_NamesBundleAndField()
    {
        File.WriteAllBytes(Path.Combine(_directory, "config.json"), Specs.With("/process/args/0", "5"));

        Assert.Equal($"Cannot load the bundle '{_directory}': /process/args/0: holds the number 5. It must be a string", Message());
    }

    [Fact]
    public void Load_NotJson_NamesLineAndColumn()
    {
        Write("{\n \"ociVersion\" 5}");

        Assert.Equal(
            $"Cannot load the bundle '{_directory}': config.json is not JSON at line 2, column 15: it holds '5'. "
            + "A colon must follow the name",
            Message());
    }

    private void Write(string text) => File.WriteAllText(Path.Combine(_directory, "config.json"), text, Encoding.UTF8);

    private string Message() => Assert.Throws<InvalidSpecException>(() => Bundle.Load(_directory)).Message;
}
