using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace Kata.Oci.Tests;

public sealed class OciJsonTests
{
    private static readonly string[] s_oddTexts = ["", "/", "äöü€", "𝄞", "a\0b", "\"\\\n"];

    [Theory]
    [InlineData("runc-spec.json")]
    [InlineData("containerd-cri.json")]
    [InlineData("podman.json")]
    [InlineData("docker-future.json")]
    public void Write_AfterParse_GivesTheSameDocument(string file)
    {
        byte[] golden = GoldenFile.Read(file);

        RuntimeSpec spec = OciJson.ParseSpec(golden);
        SpecValidator.Validate(spec);

        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(golden), JsonNode.Parse(OciJson.Write(spec))), Encoding.UTF8.GetString(OciJson.Write(spec)));
    }

    [Fact]
    public void ParseSpec_AfterFullCollections_IsAsBefore() // which take what the serializer knows of the types
    {
        byte[] golden = GoldenFile.Read("containerd-cri.json");
        byte[] written = OciJson.Write(OciJson.ParseSpec(golden));
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            Assert.Equal(written, OciJson.Write(OciJson.ParseSpec(golden)));
        }
    }

    [Fact]
    public void ParseSpec_KnownMembers_AreNotTakenForUnknownOnes()
    {
        foreach (string file in new[] { "runc-spec.json", "containerd-cri.json", "podman.json" })
        {
            RuntimeSpec spec = OciJson.ParseSpec(GoldenFile.Read(file));
            Assert.Null(spec.UnknownMembers);
            Assert.Null(spec.Process!.UnknownMembers);
            Assert.Null(spec.Linux!.UnknownMembers);
            Assert.Null(spec.Linux.Resources?.UnknownMembers);
            Assert.Null(spec.Linux.Resources?.BlockIO?.UnknownMembers);
            Assert.Null(spec.Linux.Resources?.Memory?.UnknownMembers);
            Assert.Null(spec.Linux.IntelRdt?.UnknownMembers);
            Assert.All(spec.Linux.UidMappings ?? [], mapping => Assert.Null(mapping.UnknownMembers));
        }
    }

    [Theory]
    [InlineData("/process/args/0", "5", "holds the number 5", "It must be a string")]
    [InlineData("/process/args", "\"sh\"", "holds the string 'sh'", "It must be an array")]
    [InlineData("/process/args/0", "null", "holds null", "It must be a string")]
    [InlineData("/annotations", "{\"a\":null}", "holds null", "It must be a string", "/annotations/a")]
    [InlineData(
        "/linux/seccomp", "{\"defaultAction\":\"x\",\"syscalls\":[null]}", "holds null", "It must be an object",
        "/linux/seccomp/syscalls/0")]
    [InlineData("/process", "[]", "holds an array", "It must be an object")]
    [InlineData("/process/cwd", "{}", "holds an object", "It must be a string")]
    [InlineData("/process/cwd", null, "is missing", "It must be a string")]
    [InlineData("/process/terminal", "\"yes\"", "holds the string 'yes'", "It must be true or false")]
    [InlineData("/process/user/uid", "-1", "holds the number -1", "It must be a whole number from 0 to 4294967295")]
    [InlineData("/process/user/uid", "4294967296", "holds the number 4294967296", "It must be a whole number from 0 to 4294967295")]
    [InlineData("/process/user/uid", "1.5", "holds the number 1.5", "It must be a whole number from 0 to 4294967295")]
    [InlineData("/process/user/uid", "null", "holds null", "It must be a whole number from 0 to 4294967295")]
    [InlineData("/ociVersion", null, "is missing", "It must be a string")]
    [InlineData("/ociVersion", "1.0", "holds the number 1.0", "It must be a string")]
    [InlineData("/root/path", null, "is missing", "It must be a string")]
    [InlineData("/annotations/a~1b", "true", "holds true", "It must be a string")]
    [InlineData("/linux/namespaces/0/type", null, "is missing", "It must be a string")]
    [InlineData(
        "/linux/resources/memory/limit",
        "\"1G\"",
        "holds the string '1G'",
        "It must be a whole number from -9223372036854775808 to 9223372036854775807")]
    [InlineData(
        "/linux/resources/memory/limit",
        "9223372036854775808",
        "holds the number 9223372036854775808",
        "It must be a whole number from -9223372036854775808 to 9223372036854775807")]
    public void ParseSpec_WrongType_NamesFieldAndWhatItMayHold(string at, string? json, string cause, string remedy, string? field = null)
    {
        byte[] text = at.Contains("~1", StringComparison.Ordinal)
            ? Encoding.UTF8.GetBytes(Specs.Minimal[..^1] + ",\"annotations\":{\"a/b\":true}}")
            : Specs.With(at, json);

        var exception = Assert.Throws<InvalidSpecException>(() => OciJson.ParseSpec(text));

        field ??= at;
        Assert.Equal((field, cause, remedy), (exception.Field, exception.Cause, exception.Remedy));
        Assert.Equal($"Cannot use the specification: {field}: {cause}. {remedy}", exception.Message);
    }

    [Theory]
    [InlineData("", "", "is empty", "It must be a JSON object")]
    [InlineData(" \n\t", "", "is empty", "It must be a JSON object")]
    [InlineData("null", "", "holds only null", "It must be an object")]
    [InlineData("[]", "", "holds an array", "It must be an object")]
    [InlineData("5", "", "holds the number 5", "It must be an object")]
    [InlineData("oops", "", "is not JSON at line 1, column 1: it holds 'o'", "It must be a JSON object")]
    [InlineData("{", "", "is not JSON at line 1, column 2: it ends there", "A name in double quotes or '}' must follow")]
    [InlineData(
        "{\n  \"a\": 1,\n  b\n}", "", "is not JSON at line 3, column 3: it holds 'b'", "A name in double quotes must follow the comma")]
    [InlineData("{\n  \"a\": 1,\n}", "", "is not JSON at line 3, column 1: it holds '}'", "A name in double quotes must follow the comma")]
    [InlineData("{\"a\" 1}", "", "is not JSON at line 1, column 6: it holds '1'", "A colon must follow the name")]
    [InlineData("{\"a\":\n}", "/a", "is not JSON at line 2, column 1: it holds '}'", "A value must follow the colon")]
    [InlineData("{\"a\":1 \"b\":2}", "", "is not JSON at line 1, column 8: it holds '\"'", "A comma or '}' must follow")]
    [InlineData(
        "{\"process\":{\"args\":[\"a\",\n  b]}}",
        "/process/args/1",
        "is not JSON at line 2, column 3: it holds 'b'",
        "A value must follow the comma")]
    [InlineData(
        "{\"process\":{\"args\":[\"a\" \"b\"]}}",
        "/process/args/1",
        "is not JSON at line 1, column 25: it holds '\"'",
        "A comma or ']' must follow")]
    [InlineData("{\"a\":[}", "/a", "is not JSON at line 1, column 7: it holds '}'", "A value or ']' must follow")]
    [InlineData("{\"a\":{\"b\":1}}}", "", "is not JSON at line 1, column 14: it holds '}'", "Nothing may follow the end of the document")]
    [InlineData("{} {}", "", "is not JSON at line 1, column 4: it holds '{'", "Nothing may follow the end of the document")]
    [InlineData(
        "{\"ociVersion\":\"\u0001\"}",
        "/ociVersion",
        "is not JSON at line 1, column 16: it holds '\\u0001'",
        "Control characters in a string must be escaped")]
    [InlineData(
        "{\"a/~b\":tru}",
        "/a~1~0b",
        "is not JSON at line 1, column 12: it holds '}'",
        "A value is a string in double quotes, a number, true, false, null, an array or an object")]
    [InlineData(
        "{\"a\":01}",
        "/a",
        "is not JSON at line 1, column 7: it holds '1'",
        "A value is a string in double quotes, a number, true, false, null, an array or an object")]
    [InlineData(
        "{\"a\":\"open",
        "/a",
        "is not JSON at line 1, column 11: it ends there",
        "A value is a string in double quotes, a number, true, false, null, an array or an object")]
    [InlineData("{\"ü\": €}", "/ü", "is not JSON at line 1, column 8: it holds '€'", "A value must follow the colon")]
    public void ParseSpec_NotASpecification_SaysWhereWhatAndWhatMayBeThere(string text, string field, string cause, string remedy)
    {
        var exception = Assert.Throws<InvalidSpecException>(() => Specs.Parse(text));

        Assert.Equal((field, cause, remedy), (exception.Field, exception.Cause, exception.Remedy));
    }

    [Fact]
    public void ParseSpec_NestedTooDeep_IsRefused()
    {
        string text = Specs.Minimal[..^1] + ",\"x\":" + new string('[', 100_000) + new string(']', 100_000) + "}";

        var exception = Assert.Throws<InvalidSpecException>(() => Specs.Parse(text));
        Assert.Contains("is nested too deep at line 1, column ", exception.Cause, StringComparison.Ordinal);
        Assert.Equal("At most 64 levels are read", exception.Remedy);
    }

    [Fact]
    public void ParseSpec_TooLarge_SaysTheLimit()
    {
        var exception = Assert.Throws<InvalidSpecException>(() => OciJson.ParseSpec(new byte[OciJson.MaxBytes + 1]));

        Assert.Equal("has 16777217 bytes", exception.Cause);
        Assert.Equal("At most 16777216 bytes are read", exception.Remedy);
    }

    [Theory]
    [InlineData("""{"ociVersion":"1.0.2","unknown":"\ud800"}""")]
    [InlineData("""{"ociVersion":"1.0.2","unknown":{"\uDC00":1}}""")]
    public void ParseSpec_HalfACharacterInAnUnknownMember_IsRefused(string text) => // it is kept, and could not be written
        Assert.Contains(
            "not Unicode",
            Assert.Throws<InvalidSpecException>(() => OciJson.ParseSpec(Encoding.UTF8.GetBytes(text))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void ParseSpec_ByteOrderMark_IsSkipped() =>
        Assert.Equal("1.0.2", OciJson.ParseSpec([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Specs.Minimal)]).OciVersion);

    [Fact]
    public void ParseSpec_DuplicateMember_TakesTheLastAsRuncDoes() =>
        Assert.Equal("1.1.0", Specs.Parse(Specs.Minimal[..^1] + ",\"ociVersion\":\"1.1.0\"}").OciVersion);

    [Fact]
    public void ParseSpec_InvalidUtf8_IsRefused()
    {
        byte[] text = Encoding.UTF8.GetBytes(Specs.Minimal);
        text[Specs.Minimal.IndexOf("true", StringComparison.Ordinal)] = 0xFF;

        Assert.Throws<InvalidSpecException>(() => OciJson.ParseSpec(text));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{\"a\":[null]}")]
    public void ParseSpec_NullWhereItMayBe_IsAccepted(string json) =>
        Assert.Equal("1.0.2", OciJson.ParseSpec(Specs.With("/unknown", json)).OciVersion);

    [Fact]
    public void ParseSpec_NullList_IsTheSameAsNone() => Assert.Null(OciJson.ParseSpec(Specs.With("/mounts", "null")).Mounts);

    [Fact]
    public void ToString_OfAnySpecObject_ShowsNoValue() =>
        Assert.Equal("ProcessSpec", new ProcessSpec { Cwd = "/secret", Env = ["TOKEN=secret"] }.ToString());

    [Fact]
    public void ParseSpec_AnyMutationOfAGoodDocument_ThrowsOnlyInvalidSpec()
    {
        byte[] golden = GoldenFile.Read("podman.json");
        Gen.Select(Gen.Int[0, golden.Length - 1], Gen.Byte, Gen.Int[0, golden.Length]).Sample(
            (index, value, length) =>
            {
                byte[] text = golden.ToArray();
                text[index] = value;
                TryParse(text);
                TryParse(text.AsSpan(0, length));
            },
            iter: 3000);
    }

    [Fact]
    public void Write_RandomSpecification_ParsesToTheSameDocument()
    {
        Gen<string> text = Gen.OneOf([Gen.String[Gen.Char[' ', '~'], 0, 20], .. s_oddTexts.Select(odd => Gen.Const(odd))]);
        Gen<ProcessSpec> process = Gen.Select(
            text, text.Array[0, 4].Select(a => a.Length == 0 ? null : a), Gen.UInt, Gen.Bool.Nullable(), Gen.Int.Nullable(),
            (cwd, args, uid, terminal, score) =>
                new ProcessSpec { Cwd = cwd, Args = args, User = new UserSpec { Uid = uid }, Terminal = terminal, OomScoreAdj = score });
        Gen<LinuxResources> resources = Gen.Select(
            Gen.Long.Nullable(), Gen.ULong.Nullable(), Gen.UShort.Nullable(), text,
            (limit, shares, weight, cpus) => new LinuxResources
            {
                Memory = new LinuxMemory { Limit = limit },
                Cpu = new LinuxCpu { Shares = shares, Cpus = cpus },
                BlockIO = new LinuxBlockIO { Weight = weight },
            });
        Gen.Select(process, resources, Gen.Dictionary(text, text)[0, 3]).Sample((p, r, annotations) =>
        {
            var linux = new LinuxSpec { Resources = r };
            var spec = new RuntimeSpec { OciVersion = "1.2.0", Process = p, Annotations = annotations, Linux = linux };
            byte[] json = OciJson.Write(spec);
            RuntimeSpec again = OciJson.ParseSpec(json);
            return json.AsSpan().SequenceEqual(OciJson.Write(again))
                && again.Process!.Cwd == p.Cwd && (again.Process.Args ?? []).SequenceEqual(p.Args ?? [])
                && again.Process.User == p.User && again.Linux!.Resources!.Memory == r.Memory
                && again.Annotations!.Count == annotations.Count;
        });
    }

    [Fact]
    public void Write_State_HasTheSpecifiedMembers()
    {
        var state = new RuntimeState { OciVersion = "1.0.2", Id = "c1", Status = "running", Pid = 7, Bundle = "/b" };

        Assert.Equal(
            """{"ociVersion":"1.0.2","id":"c1","status":"running","pid":7,"bundle":"/b"}""", Encoding.UTF8.GetString(OciJson.Write(state)));
        Assert.Equal(state, OciJson.ParseState(OciJson.Write(state)));
    }

    private static void TryParse(ReadOnlySpan<byte> text)
    {
        try
        {
            SpecValidator.Validate(OciJson.ParseSpec(text));
        }
        catch (InvalidSpecException)
        {
        }
    }
}
