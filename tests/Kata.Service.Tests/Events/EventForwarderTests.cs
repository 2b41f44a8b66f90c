using System.Globalization;
using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.Events;
using Kata.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kata.Service.Tests;

public sealed class EventForwarderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>It takes longer than it may: at the first event it hangs, at the second it is as it should be.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(1 << 20)] // more than its pipe holds, and it does not read
    public async Task Run_PublisherHangs_IsEndedAndTheEventPublishedAgain(int size)
    {
        string pids = _directory.File("pids"), publisher = _directory.File("publisher");
        await File.WriteAllTextAsync(
            publisher,
            $"#!/bin/sh\necho $$ >> {pids}\nif [ $(wc -l < {pids}) = 1 ]; then exec sleep 1000; fi\n"
                + $"exec cat > {_directory.File("taken")}\n",
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(publisher, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Channel<Envelope> events = Channel.CreateUnbounded<Envelope>();
        events.Writer.TryWrite(new Envelope { Topic = "/tasks/exit", Event = new Any { Value = ByteString.CopyFrom(new byte[size]) } });
        events.Writer.Complete();
        await using var forwarder = new EventForwarder(
            new ContainerdOptions("ns", "", "", "", publisher), NullLogger.Instance, TimeProvider.System);

        await forwarder.RunAsync(events.Reader, TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        string[] ran = await File.ReadAllLinesAsync(pids, TestContext.Current.CancellationToken);
        Assert.Equal(2, ran.Length);
        Assert.False(Directory.Exists($"/proc/{int.Parse(ran[0], CultureInfo.InvariantCulture)}"));
        Assert.True(new FileInfo(_directory.File("taken")).Length >= size);
    }
}
