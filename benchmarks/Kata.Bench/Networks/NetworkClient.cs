using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Kata.Bench.Networks;

/// <summary>What this program does in the peer's network namespace, as a process of its own, for what no tool measures.</summary>
internal static class NetworkClient
{
    /// <summary>The first argument that asks for it.</summary>
    public const string Verb = "client";

    /// <summary>What <see cref="Reach"/> writes when it is about to look.</summary>
    public const string Looking = "looking";

    private const int WarmUp = 20; // connections, so that this program is compiled and the guest has run its own once

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    public static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["connect", var address, var seconds]:
                double rate = ConnectionsPerSecond(address, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));
                Console.WriteLine(rate.ToString(CultureInfo.InvariantCulture));
                return 0;
            case ["reach", var address]:
                Console.WriteLine(Looking);
                Console.WriteLine(Reach(IPAddress.Parse(address)).ToString(CultureInfo.InvariantCulture));
                return 0;
            default:
                Console.Error.WriteLine($"usage: {Verb} connect ADDRESS SECONDS | reach ADDRESS");
                return 2;
        }
    }

    // One after the other: opened, and closed by the other end.
    private static double ConnectionsPerSecond(string address, TimeSpan duration)
    {
        var server = new IPEndPoint(IPAddress.Parse(address), NetworkBundle.ConnectPort);
        byte[] buffer = new byte[1];
        for (int i = 0; i < WarmUp; i++)
        {
            Connect(server, buffer);
        }

        long start = Stopwatch.GetTimestamp();
        int count = 0;
        for (; Stopwatch.GetElapsedTime(start) < duration; count++)
        {
            Connect(server, buffer);
        }

        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Connect(IPEndPoint server, byte[] buffer)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(server);
        if (socket.Receive(buffer) != 0)
        {
            throw new InvalidDataException($"{server} has sent something");
        }
    }

    // When the owner of an address says that nobody listens there, which its kernel does by itself: the answer to one of the datagrams
    // that are sent each millisecond. The time is the stopwatch's, which is the same for all processes of a machine.
    private static long Reach(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(address, 9);
        byte[] buffer = new byte[1];
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < s_limit)
        {
            try
            {
                socket.Send(buffer);
                if (socket.Poll(1000, SelectMode.SelectRead))
                {
                    socket.Receive(buffer);
                }
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return Stopwatch.GetTimestamp();
            }
        }

        throw new TimeoutException($"{address} has not answered within {s_limit.TotalSeconds} s");
    }
}
