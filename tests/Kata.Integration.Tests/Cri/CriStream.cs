using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Cri;

/// <summary>A stream of <c>kubectl exec</c> or <c>attach</c>, over a web socket with Kubernetes' channels.</summary>
internal sealed class CriStream : IAsyncDisposable
{
    private const byte Input = 0;
    private const byte Output = 1;
    private const byte Error = 2;
    private const byte Status = 3;
    private const byte Size = 4;

    private readonly ClientWebSocket _socket = new();
    private readonly Dictionary<byte, StringBuilder> _received = new() { [Output] = new(), [Error] = new(), [Status] = new() };
    private readonly CancellationTokenSource _limit =
        CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private HttpMessageInvoker? _invoker;

    public string Out => _received[Output].ToString();

    public string Err => _received[Error].ToString();

    /// <summary>The end of the command as Kubernetes' Status object tells it; empty while it runs.</summary>
    public string End => _received[Status].ToString();

    public static async Task<CriStream> OpenAsync(CriFixture cri, string url)
    {
        var stream = new CriStream();
        stream._limit.CancelAfter(RuntimeFixture.Limit);
        stream._socket.Options.AddSubProtocol("v4.channel.k8s.io");
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (context, token) => cri.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, token),
        };
        stream._invoker = new HttpMessageInvoker(handler, disposeHandler: true);
        await stream._socket.ConnectAsync(new UriBuilder(url) { Scheme = "ws" }.Uri, stream._invoker, stream._limit.Token);
        return stream;
    }

    public async Task WriteAsync(string text) => await SendAsync(Input, Encoding.UTF8.GetBytes(text));

    public async Task ResizeAsync(int width, int height) =>
        await SendAsync(Size, JsonSerializer.SerializeToUtf8Bytes(new { Width = width, Height = height }));

    /// <summary>Reads until the output holds the text.</summary>
    public async Task ReadUntilAsync(string text)
    {
        while (!Out.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(await ReceiveAsync(), $"the stream ended before '{text}': {Out}");
        }
    }

    public async Task ReadToEndAsync()
    {
        while (await ReceiveAsync())
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort(); // as a client that goes away
        _socket.Dispose();
        _invoker?.Dispose();
        _limit.Dispose();
        await ValueTask.CompletedTask;
    }

    private async Task SendAsync(byte channel, byte[] data) =>
        await _socket.SendAsync((byte[])[channel, .. data], WebSocketMessageType.Binary, endOfMessage: true, _limit.Token);

    private async Task<bool> ReceiveAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part = await _socket.ReceiveAsync(buffer.AsMemory(length), _limit.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return false;
            }

            length += part.Count;
            if (part.EndOfMessage)
            {
                break;
            }
        }

        _received[buffer[0]].Append(Encoding.UTF8.GetString(buffer, 1, length - 1));
        return true;
    }
}
