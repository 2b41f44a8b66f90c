using System.Globalization;
using System.Security.Cryptography;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>Much data through standard streams: nothing is lost, reordered or repeated, whoever is slow.</summary>
[Collection(ContainersGroup.Name)]
public sealed class DataTests : IClassFixture<SleeperFixture>
{
    private const int Megabyte = 1 << 20;
    private const int Size = 100 * Megabyte;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(240); // 100 MB take 2 to 20 s in software emulation

    private readonly SleeperFixture _runtime;

    public DataTests(SleeperFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Output_HundredMegabytes_ArriveIntact()
    {
        string expected = await WriteRandomAsync("tmp/large", Size);
        using RunningCommand command = _runtime.Start("exec", _runtime.Id, "cat", "/tmp/large");
        command.Input.Close();

        (long length, string sum) = await HashAsync(command.Output);

        Assert.Equal(0, await command.ExitAsync(s_limit));
        Assert.Equal(Size, length);
        Assert.Equal(expected, sum);
    }

    /// <summary>As <c>KATA_TEST_SOAK</c> says, and at most a hundred times.</summary>
    [Fact]
    public async Task Output_ToAFile_IsCompleteWhenTheExitIsTold()
    {
        string expected = await WriteRandomAsync("tmp/large", Size);
        string file = Path.Combine(_runtime.NewDirectory("output"), "file");
        string pidFile = $"{file}.pid";
        int rounds = Math.Min(100, ManyTests.SoakCount ?? 2);
        for (int i = 0; i < rounds; i++)
        {
            // By turns the command's own end tells of the exit, and that of the process which stands for a detached program.
            string[] how = i % 2 == 0 ? [] : ["--detach", "--pid-file", pidFile];
            const string Script = "file=$1; shift; exec \"$@\" </dev/null >\"$file\"";
            string[] command = [RuntimeFixture.RuntimePath!, .. _runtime.Globals("exec"), .. how, _runtime.Id, "cat", "/tmp/large"];
            using (RunningCommand exec = RunningCommand.Start("/bin/sh", ["-c", Script, "sh", file, .. command]))
            {
                Assert.Equal(0, await exec.ExitAsync(s_limit));
            }

            if (how.Length > 0)
            {
                using var limit = new CancellationTokenSource(s_limit);
                Assert.True(await HostProcess.EndedAsync(
                    int.Parse(await File.ReadAllTextAsync(pidFile, Cancellation), CultureInfo.InvariantCulture), limit.Token));
            }

            await using FileStream written = File.OpenRead(file);
            (long length, string sum) = await HashAsync(written);
            Assert.True((length, sum) == (Size, expected), $"round {i}: {length} bytes, {sum}");
        }
    }

    [Fact]
    public async Task Input_HundredMegabytes_ArriveIntact()
    {
        byte[] chunk = new byte[Megabyte];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using RunningCommand command = _runtime.Start("exec", _runtime.Id, "sh", "-c", "cat > /tmp/received");
        for (int i = 0; i < Size / Megabyte; i++)
        {
            new Random(i).NextBytes(chunk);
            hash.AppendData(chunk);
            await command.Input.WriteAsync(chunk, Cancellation).AsTask().WaitAsync(s_limit, Cancellation);
        }

        command.Input.Close();

        Assert.Equal(0, await command.ExitAsync(s_limit));
        await using FileStream received = File.OpenRead(Path.Combine(_runtime.RootFs, "tmp/received"));
        (long length, string sum) = await HashAsync(received);
        Assert.Equal(Size, length);
        Assert.Equal(Convert.ToHexStringLower(hash.GetHashAndReset()), sum);
    }

    [Fact]
    public async Task Output_ReaderStopsInTheMiddle_HoldsUpItsProgramAndLosesNothing()
    {
        const int Some = 24 * Megabyte;
        string expected = await WriteRandomAsync("tmp/some", Some);
        using RunningCommand command = _runtime.Start("exec", _runtime.Id, "cat", "/tmp/some");
        command.Input.Close();
        byte[] first = new byte[Megabyte];
        await command.Output.ReadExactlyAsync(first, Cancellation).AsTask().WaitAsync(s_limit, Cancellation);

        // While we do not read, the others of the pod go on, and the program cannot end.
        for (int i = 0; i < 3; i++)
        {
            (await _runtime.ExecAsync(_runtime.Id, "true")).Ok();
            Assert.False(command.HasExited);
        }

        (long length, string sum) = await HashAsync(command.Output, first);

        Assert.Equal(0, await command.ExitAsync(s_limit));
        Assert.Equal(Some, length);
        Assert.Equal(expected, sum);
    }

    [Fact]
    public async Task Input_WriterIsSlow_LosesNothing()
    {
        using RunningCommand command = _runtime.Start("exec", _runtime.Id, "cat");
        for (int i = 0; i < 5; i++)
        {
            byte[] sent = RuntimeFixture.Bytes($"part {i}\n");
            await command.Input.WriteAsync(sent, Cancellation);
            await command.Input.FlushAsync(Cancellation);
            byte[] echoed = new byte[sent.Length];
            await command.Output.ReadExactlyAsync(echoed, Cancellation).AsTask().WaitAsync(s_limit, Cancellation);
            Assert.Equal(sent, echoed); // each part comes at once, without waiting for more
        }

        command.Input.Close();
        Assert.Equal(0, await command.ExitAsync(s_limit));
    }

    [Fact]
    public async Task Input_ProgramIsSlow_LosesNothing()
    {
        byte[] sent = new byte[8 * Megabyte];
        new Random(1).NextBytes(sent);

        CommandResult result = await _runtime.RunAsync(
            ["exec", _runtime.Id, "sh", "-c", "sleep 1; sha256sum | cut -d' ' -f1"], sent, s_limit);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(sent)), result.Ok().Text);
    }

    [Fact]
    public async Task Output_ReaderHasGone_EndsTheProgram()
    {
        using RunningCommand command = _runtime.Start("exec", _runtime.Id, "yes");
        command.Input.Close();
        await command.Output.ReadExactlyAsync(new byte[2], Cancellation).AsTask().WaitAsync(s_limit, Cancellation);

        command.Output.Close();

        Assert.Equal(141, await command.ExitAsync(TimeSpan.FromSeconds(30))); // 128 + SIGPIPE
    }

    // Made by the host, as software emulation would take minutes to make or sum as much; random, so that a lost, doubled or
    // moved piece changes the sum.
    private async Task<string> WriteRandomAsync(string name, int bytes)
    {
        byte[] data = new byte[bytes];
        new Random(bytes).NextBytes(data);
        await File.WriteAllBytesAsync(Path.Combine(_runtime.RootFs, name), data, Cancellation);
        return Convert.ToHexStringLower(SHA256.HashData(data));
    }

    private static async Task<(long Length, string Sum)> HashAsync(Stream stream, byte[]? already = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(already ?? []);
        long length = already?.Length ?? 0;
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(s_limit, Cancellation)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            length += count;
        }

        return (length, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
