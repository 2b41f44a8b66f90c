using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kata.Netlink;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Kata.Testing;

/// <summary>
/// A network namespace of the test's own, which is gone with it. Namespaces belong to threads: each piece of work that has to be inside has
/// a thread of its own that enters and then ends. Sockets stay inside, whatever thread uses them.
/// </summary>
public sealed partial class TestNetwork : IDisposable
{
    private const int CLONE_NEWNET = 0x40000000;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private TestNetwork(SafeFileHandle handle)
    {
        Handle = handle;
        Socket = Inside(static () => new NetlinkSocket());
        Socket.Links.SetUp(1); // lo
    }

    /// <summary>The namespace.</summary>
    public SafeFileHandle Handle { get; }

    public NetlinkSocket Socket { get; }

    /// <summary>Skips the test where it cannot make one.</summary>
    public static TestNetwork Create()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, for a network namespace of its own");
        int error = 0;
        SafeFileHandle? handle = OnThread(() =>
        {
            if (unshare(CLONE_NEWNET) != 0)
            {
                error = Marshal.GetLastPInvokeError();
                return null;
            }

            return File.OpenHandle("/proc/thread-self/ns/net");
        });
        Assert.SkipWhen(error == (int)NetlinkErrno.EPERM, "needs CAP_SYS_ADMIN, for a network namespace of its own");
        Assert.Equal(0, error);
        return new TestNetwork(handle!);
    }

    /// <summary>Runs work on a thread that is in the namespace.</summary>
    public T Inside<T>(Func<T> work) => OnThread(() =>
    {
        Assert.Equal(0, setns(Handle, CLONE_NEWNET));
        return work();
    });

    /// <summary>Runs shell commands in the namespace; the test fails when one does.</summary>
    /// <returns>What they wrote.</returns>
    public string Run(string commands) => Inside(() =>
    {
        Assert.SkipUnless(File.Exists("/sbin/ip"), "needs ip and tc (Debian: apt-get install iproute2)");
        // A child is in the namespace of the thread that starts it.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", commands])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin" },
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(s_limit), $"'{commands}' does not end");
        Assert.True(process.ExitCode == 0, $"'{commands}' failed: {error.Result}");
        return output;
    });

    /// <summary>What <c>ip -json</c> or <c>tc -json</c> says.</summary>
    public List<JsonElement> Json(string command)
    {
        string output = Run(command);
        return output.Length == 0 ? [] : [.. JsonDocument.Parse(output).RootElement.EnumerateArray().Where(IsObjectWithContent)];
    }

    /// <summary>A pair of links in it, both up.</summary>
    /// <returns>The index of the first; the second's is <see cref="Link.Parent"/>.</returns>
    public Link AddPair(string name, string peer)
    {
        Socket.Links.Add(new LinkSettings { Name = name, Kind = new VethKind { Peer = new LinkSettings { Name = peer } } });
        Socket.Links.SetUp(Socket.Links.Get(peer).Index);
        Socket.Links.SetUp(Socket.Links.Get(name).Index);
        return Socket.Links.Get(name);
    }

    /// <summary>Makes a link; skips the test where the kernel has no such kind.</summary>
    public Link Add(LinkSettings settings)
    {
        try
        {
            Socket.Links.Add(settings);
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.EOPNOTSUPP && error.KernelMessage == "Unknown device type")
        {
            Assert.Skip($"needs a kernel that has links of kind '{settings.Kind!.Name}'");
        }

        return Socket.Links.Get(settings.Name!);
    }

    public void Dispose()
    {
        Socket.Dispose();
        Handle.Dispose();
    }

    // ip prints empty objects for what a filter left out.
    private static bool IsObjectWithContent(JsonElement element) => element.EnumerateObject().Any();

    private static T OnThread<T>(Func<T> work)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle descriptor, int type);
}
