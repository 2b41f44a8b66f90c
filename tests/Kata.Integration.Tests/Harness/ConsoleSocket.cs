using Kata.Linux;

namespace Kata.Integration.Tests.Harness;

/// <summary>What a caller of <c>--console-socket</c> listens on (conmon, containerd).</summary>
internal sealed class ConsoleSocket(string path) : IDisposable
{
    private readonly SocketListener _listener = new(UnixSocket.Listen(path));

    public string Path => path;

    /// <summary>The terminal that the runtime sends.</summary>
    public async Task<Pseudoterminal> ReceiveAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(RuntimeFixture.Limit);
        await using var connection = new DescriptorStream(await _listener.AcceptAsync(limit.Token));
        var descriptors = new List<SafeFileDescriptor>();
        await connection.ReceiveAsync(new byte[64], descriptors, limit.Token);
        return new Pseudoterminal(Assert.Single(descriptors));
    }

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(path);
    }
}
