using Kata.Linux;

namespace Kata.Runtime.Tests;

/// <summary>Runs a command line in this process, or a host's program. Tests that use it belong to <see cref="ConsoleGroup"/>.</summary>
internal sealed record CommandRun(int Status, string Output, string Error)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    public static async Task<CommandRun> RuntimeAsync(params string[] arguments)
    {
        (TextWriter output, TextWriter error) = (Console.Out, Console.Error);
        using var ourOutput = new StringWriter();
        using var ourError = new StringWriter();
        Console.SetOut(ourOutput);
        Console.SetError(ourError);
        try
        {
            int status = await CommandLine.RunAsync(arguments).WaitAsync(s_limit);
            return new CommandRun(status, ourOutput.ToString(), ourError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    /// <summary>Standard error goes with standard output.</summary>
    public static async Task<CommandRun> HostAsync(string path, string directory, params string[] arguments)
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var stream = new DescriptorStream(read);
        ChildProcess child;
        using (write)
        {
            child = ChildProcess.Start(new SpawnOptions
            {
                Path = path,
                Arguments = [Path.GetFileName(path), .. arguments],
                Environment =
                [
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", $"HOME={directory}", "LC_ALL=C.UTF-8", "TERM=dumb",
                ],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [1] = write, [2] = write },
                WorkingDirectory = directory,
            });
        }

        using (var text = new StreamReader(stream))
        {
            string output = await text.ReadToEndAsync().WaitAsync(s_limit);
            return new CommandRun((await child.Exited.WaitAsync(s_limit)).ToShellCode(), output, "");
        }
    }
}
