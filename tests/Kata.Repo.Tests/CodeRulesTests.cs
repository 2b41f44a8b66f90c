using System.Text.RegularExpressions;

namespace Kata.Repo.Tests;

/// <summary>The rules, first on text that breaks them, then on every file.</summary>
public sealed partial class CodeRulesTests
{
    [Theory]
    [InlineData("unsafe { a(&b); }", 1)]
    [InlineData("// SAFETY: b is a local.\nunsafe { a(&b); }", 0)]
    [InlineData("unsafe void A()\n{\n    // SAFETY: pinned.\n    fixed (byte* p = b) { }\n}", 0)]
    [InlineData("unsafe void A()\n{\n    fixed (byte* p = b) { }\n}\n// SAFETY: of something else.", 1)]
    [InlineData("// SAFETY: reads one int.\n[X]\nunsafe int A() => B(&c);", 0)]
    [InlineData("// SAFETY: of something else.\nint c;\nunsafe int A() => B(&c);", 1)]
    [InlineData("unsafe partial class A\n{\n}", 0)]
    [InlineData("// the word unsafe in prose", 0)]
    public void UnexplainedUnsafe_KnownCases_FindsThoseWithoutComment(string source, int findings) =>
        Assert.Equal(findings, CodeRules.UnexplainedUnsafe("a.cs", source).Count());

    [Theory]
    [InlineData("// TODO later", 1)]
    [InlineData("// TODO(#12) later", 0)]
    [InlineData("// TODO(12) later", 1)]
    [InlineData("// FIXME", 1)]
    [InlineData("var todo = 1;", 0)]
    public void LooseNotes_KnownCases_FindsThoseWithoutIssue(string source, int findings) =>
        Assert.Equal(findings, CodeRules.LooseNotes("a.cs", source).Count());

    [Fact]
    public void LogEventIds_OneOnTwoLines_IsFound() =>
        Assert.Equal(
            [(7, 1), (2_003, 3)],
            CodeRules.LogEventIds("[LoggerMessage(EventId = 7)]\n\n[LoggerMessage(Level = X,\n EventId = 2_003)] // EventId = 9"));

    [Fact]
    public void Unsafe_EverySourceFileOutsideInterop_IsExplained() =>
        AssertNone("src", file => !IsInterop(file), CodeRules.UnexplainedUnsafe);

    [Fact]
    public void DllImport_EverySourceFile_IsAbsent() =>
        AssertNone("src", _ => true, (file, source) =>
            CodeRules.Words(file, source, DllImport(), "DllImport is banned. Use LibraryImport in Kata.Linux/Interop"));

    [Fact]
    public void LibraryImport_EverySourceFileOutsideInterop_IsAbsent() =>
        AssertNone("src", file => !IsInterop(file), (file, source) =>
            CodeRules.Words(file, source, LibraryImport(), "native signatures belong in Kata.Linux/Interop"));

    [Fact]
    public void Processes_EverySourceFile_AreSpawnedByOurOwnCode() =>
        AssertNone("src", _ => true, (file, source) =>
            CodeRules.Words(file, source, Process(), "System.Diagnostics.Process makes the runtime reap every child. Use ProcessSpawner"));

    // Kata.Netlink, a package without Kata.Linux, has the runtime's readiness.
    [Fact]
    public void Sockets_EverySourceFile_AreOurOwn() =>
        AssertNone("src", file => !file.StartsWith("src/Kata.Netlink/", StringComparison.Ordinal), (file, source) => CodeRules.Words(
            file, source, Sockets(), "System.Net.Sockets is not for src/. Use UnixSocket, SocketListener or DescriptorStream"));

    [Fact]
    public void AsyncVoid_EveryFile_IsAbsent()
    {
        foreach (string parent in new[] { "src", "tests", "benchmarks" })
        {
            AssertNone(parent, _ => true, (file, source) => CodeRules.Words(
                file, source, AsyncVoid(), "nobody can await 'async void', and its exception ends the process. Return Task"));
        }
    }

    [Fact]
    public void Regions_EverySourceFile_AreAbsent() =>
        AssertNone(
            "src", _ => true, (file, source) => CodeRules.Words(file, source, Region(), "a region hides what should be another file"));

    [Fact]
    public void Notes_EveryFile_NameAnIssue() =>
        AssertNone("src", _ => true, CodeRules.LooseNotes);

    [Fact]
    public void LogEventIds_OfAllFiles_AreUnique()
    {
        var all = from file in Repository.Files("src", "*.cs")
                  from message in CodeRules.LogEventIds(Repository.Read(file))
                  select (message.Id, Place: $"{file}:{message.Line}");
        var twice = all.GroupBy(item => item.Id).Where(group => group.Count() > 1)
            .Select(group => $"event {group.Key}: {string.Join(" and ", group.Select(item => item.Place))}");
        Findings.AssertNone(twice);
    }

    // Kata.Netlink is a package of its own, which must not need Kata.Linux.
    private static bool IsInterop(string file) =>
        file.StartsWith("src/Kata.Linux/Interop/", StringComparison.Ordinal)
        || file.StartsWith("src/Kata.Netlink/Interop/", StringComparison.Ordinal);

    private static void AssertNone(string parent, Func<string, bool> applies, Func<string, string, IEnumerable<Finding>> rule) =>
        Findings.AssertNone(Repository.Files(parent, "*.cs")
            .Where(applies)
            .SelectMany(file => rule(file, Repository.Read(file)))
            .Select(finding => finding.ToString()));

    [GeneratedRegex(@"\bDllImport\b")]
    private static partial Regex DllImport();

    [GeneratedRegex(@"\bLibraryImport\b")]
    private static partial Regex LibraryImport();

    [GeneratedRegex(@"\bSystem\.Diagnostics\.Process\b|\bProcessStartInfo\b|\bProcess\.(Start|GetProcess\w*|GetCurrentProcess)\(")]
    private static partial Regex Process();

    [GeneratedRegex(@"\bSystem\.Net\.Sockets\b(?!\.SafeSocketHandle)")]
    private static partial Regex Sockets();

    [GeneratedRegex(@"\basync\s+void\b")]
    private static partial Regex AsyncVoid();

    [GeneratedRegex(@"^\s*#region\b")]
    private static partial Regex Region();
}
