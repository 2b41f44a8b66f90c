using System.Text.Json;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Fuzz.Targets;

/// <summary>
/// What a service and its stand-ins say to each other, a line at a time. An even first byte: a stand-in sends the rest to a service; an odd
/// one: a service to a stand-in.
/// </summary>
internal sealed class StandInTarget : AsyncTarget
{
    private const int MaxLineBytes = 4096;

    private readonly string _path = Path.Combine(Scratch.NewDirectory("s"), "s");
    private readonly SafeFileDescriptor _listener;
    private readonly SafeFileDescriptor _null = LibC.open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC, 0);

    public StandInTarget() => _listener = UnixSocket.Listen(_path);

    public override string Name => "stand-in";

    protected override Task RunAsync(byte[] input) => input.Length < 2 ? Task.CompletedTask
        : input[0] % 2 == 0 ? ServiceReadsAsync(input[1..])
        : StandInReadsAsync(input[1..]);

    private async Task ServiceReadsAsync(byte[] input)
    {
        (SafeFileDescriptor ours, SafeFileDescriptor theirs) = UnixSocket.Pair();
        await using var connection = new LineConnection(new DescriptorStream(ours));
        using (theirs)
        {
            int sent = DescriptorPassing.Send(theirs, input, [_null, _null, _null]);
            Finding.Unless(sent == input.Length, "the input is too long for a socket"); // the fuzzer's limit is below
        }

        var descriptors = new List<SafeFileDescriptor>();
        try
        {
            string? first = await connection.ReadLineAsync(descriptors, default);
            if (first is not null)
            {
                await OpenAsync(first, descriptors);
            }

            while (await connection.ReadLineAsync(null, default) is { } line)
            {
                Finding.Unless(line.Length <= MaxLineBytes && !line.Contains('\n', StringComparison.Ordinal), "a line is none");
            }
        }
        catch (InvalidDataException)
        {
            int longest = 0;
            foreach (Range line in input.AsSpan().Split((byte)'\n'))
            {
                longest = Math.Max(longest, input.AsSpan()[line].Length);
            }

            Finding.Unless(longest >= MaxLineBytes || descriptors.Count > 0, "a short line is refused");
        }
        finally
        {
            descriptors.ForEach(static descriptor => descriptor.Dispose());
        }
    }

    // As the service does with a hello.
    private static async Task OpenAsync(string line, List<SafeFileDescriptor> descriptors)
    {
        try
        {
            if (JsonSerializer.Deserialize(line, ServiceJsonContext.Default.StandInHello) is { } hello)
            {
                string written = JsonSerializer.Serialize(hello, ServiceJsonContext.Default.StandInHello);
                Finding.Unless(
                    JsonSerializer.Deserialize(written, ServiceJsonContext.Default.StandInHello) == hello, "a hello reads as another");
                await using ProcessStdio stdio = HostStdio.Open(hello.Terminal, descriptors);
                descriptors.Clear();
            }
        }
        catch (JsonException)
        {
            // no hello
        }
    }

    // The connection is there: it is made before the first wait of the other side.
    private unsafe SafeFileDescriptor Accept() => LibC.accept4(_listener, null, null, LibC.SOCK_CLOEXEC);

    private async Task StandInReadsAsync(byte[] input)
    {
        Task<StandIn> connect = StandIn.ConnectAsync(
            _path, "c", "", null, [_null, _null, _null], plainNewlines: false, detached: false, default);
        using (SafeFileDescriptor peer = Accept())
        {
            _ = DescriptorPassing.Send(peer, input, []);
            _ = DescriptorPassing.Receive(peer, new byte[MaxLineBytes], []); // or the other end is reset, with what it has not read yet
        }

        StandIn standIn;
        try
        {
            standIn = await connect;
        }
        catch (Exception refusal) when (refusal is IOException or InvalidDataException or LinuxException)
        {
            return; // it was not made welcome
        }

        await using (standIn)
        {
            (int status, string? reason) = await standIn.WaitAsync(null, default);
            Finding.Unless(status >= 0 && reason is not "", "the end of a process is none");
        }
    }
}
