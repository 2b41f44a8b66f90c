namespace Kata.Oci.Tests;

public sealed class SpecValidatorTests
{
    [Fact]
    public void Validate_Minimal_HasNoWarnings() => Assert.Empty(SpecValidator.Validate(Specs.Parse(Specs.Minimal)));

    [Theory]
    [InlineData("1.0.0")]
    [InlineData("1.0.2-dev")]
    [InlineData("1.0.0-rc5")]
    [InlineData("1.2.1")]
    [InlineData("1.3.0+build.7")]
    public void Validate_VersionOne_IsAccepted(string version) =>
        SpecValidator.Validate(OciJson.ParseSpec(Specs.With("/ociVersion", $"\"{version}\"")));

    [Theory]
    [InlineData("")]
    [InlineData("0.9.0")]
    [InlineData("2.0.0")]
    [InlineData("1")]
    [InlineData("1.0")]
    [InlineData("1.0.0.0")]
    [InlineData("v1.0.0")]
    [InlineData("1.00.0")]
    [InlineData("1.-1.0")]
    [InlineData("1.0.0-")]
    [InlineData("1.0.0 ")]
    [InlineData("1.0.0-\\u0000")]
    [InlineData("garbage")]
    public void Validate_OtherVersion_SaysWhatMayBeHeld(string version)
    {
        InvalidSpecException exception = Refused("/ociVersion", $"\"{version}\"");

        Assert.StartsWith("holds '", exception.Cause, StringComparison.Ordinal);
        Assert.Contains("from 1.0.0 on and below 2.0.0", exception.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/process", null, "is missing", "'args' and 'cwd'")]
    [InlineData("/root", null, "is missing", "'path'")]
    [InlineData("/root/path", "\"\"", "is empty", "root file system")]
    [InlineData("/root/path", "\"a\\u0000b\"", "holds 'a\\u0000b'", "zero character")]
    [InlineData("/process/args", null, "is missing", "the program to run")]
    [InlineData("/process/args", "[]", "is an empty array", "the program to run")]
    [InlineData("/process/args/0", "\"\\u0000\"", "holds '\\u0000'", "zero character")]
    [InlineData("/process/cwd", "\"\"", "is empty", "absolute path")]
    [InlineData("/process/cwd", "\"tmp\"", "holds the relative path 'tmp'", "absolute path")]
    [InlineData("/process/oomScoreAdj", "1001", "holds the number 1001", "from -1000 to 1000")]
    [InlineData("/process/oomScoreAdj", "-1001", "holds the number -1001", "from -1000 to 1000")]
    [InlineData("/process/user/uid", "4294967295", "holds the number 4294967295", "from 0 to 4294967294")]
    [InlineData("/process/user/gid", "4294967295", "holds the number 4294967295", "from 0 to 4294967294")]
    [InlineData("/process/user/umask", "512", "holds the number 512", "from 0 to 511")]
    [InlineData("/process/scheduler/policy", "\"FAST\"", "holds 'FAST'", "SCHED_BATCH")]
    [InlineData(
        "/hostname", "\"12345678901234567890123456789012345678901234567890123456789012345\"", "holds a name of 65 bytes", "at most 64")]
    [InlineData("/linux/namespaces/0/type", "\"net\"", "holds 'net'", "pid, network, mount, ipc, uts, user, cgroup, time")]
    [InlineData("/linux/rootfsPropagation", "\"both\"", "holds 'both'", "shared, slave, private")]
    [InlineData("/linux/resources/memory/limit", "-2", "holds the number -2", "from -1 to")]
    [InlineData("/linux/resources/memory/swappiness", "101", "holds the number 101", "from 0 to 100")]
    [InlineData("/linux/resources/cpu/cpus", "\"0-3;7\"", "holds '0-3;7'", "such as 0-3,7")]
    public void Validate_BadField_NamesIt(string at, string? json, string cause, string remedy)
    {
        InvalidSpecException exception = Refused(at, json);

        Assert.Equal(at, exception.Field);
        Assert.Equal(cause, exception.Cause);
        Assert.Contains(remedy, exception.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/mounts", """[{"destination":"/a"},{"destination":"a/b"}]""", "/mounts/1/destination", "holds the relative path 'a/b'")]
    [InlineData("/mounts", """[{"destination":"/a","options":["ro","\u0000"]}]""", "/mounts/0/options/1", @"holds '\u0000'")]
    [InlineData("/hooks", """{"prestart":[{"path":"hook"}]}""", "/hooks/prestart/0/path", "holds the relative path 'hook'")]
    [InlineData("/hooks", """{"poststop":[{"path":"/h","timeout":0}]}""", "/hooks/poststop/0/timeout", "holds the number 0")]
    [InlineData(
        "/linux/timeOffsets", """{"monotonic":{"secs":1}}""", "/linux/timeOffsets", "is given but there is no time namespace of its own")]
    [InlineData("/process/scheduler", """{"policy":"SCHED_OTHER","flags":["X"]}""", "/process/scheduler/flags/0", "holds 'X'")]
    [InlineData("/process/scheduler", """{"policy":"SCHED_OTHER","nice":20}""", "/process/scheduler/nice", "holds the number 20")]
    [InlineData("/linux/namespaces", """[{"type":"uts"},{"type":"uts"}]""", "/linux/namespaces/1/type", "holds 'uts' a second time")]
    [InlineData("/linux/namespaces", """[{"type":"uts","path":"ns"}]""", "/linux/namespaces/0/path", "holds the relative path 'ns'")]
    [InlineData("/linux/devices", """[{"type":"x","path":"/d"}]""", "/linux/devices/0/type", "holds 'x'")]
    [InlineData("/linux/devices", """[{"type":"c","path":"/d","major":-1}]""", "/linux/devices/0/major", "holds the number -1")]
    [InlineData("/linux/uidMappings", """[{"containerID":0,"hostID":0,"size":0}]""", "/linux/uidMappings/0/size", "holds the number 0")]
    [InlineData("/linux/uidMappings", """[{"containerID":1,"hostID":0,"size":4294967295}]""", null, null)]
    [InlineData(
        "/linux/uidMappings",
        """[{"containerID":2,"hostID":0,"size":4294967295}]""",
        "/linux/uidMappings/0/containerID",
        "holds the number 2")]
    [InlineData("/process/rlimits", """[{"type":"RLIMIT_FOO","hard":1,"soft":1}]""", "/process/rlimits/0/type", "holds 'RLIMIT_FOO'")]
    [InlineData(
        "/process/rlimits", """[{"type":"RLIMIT_CPU","hard":1,"soft":2}]""", "/process/rlimits/0/soft", "holds 2, above the hard limit 1")]
    [InlineData(
        "/process/rlimits",
        """[{"type":"RLIMIT_CPU","hard":1,"soft":1},{"type":"RLIMIT_CPU","hard":1,"soft":1}]""",
        "/process/rlimits/1/type",
        "holds 'RLIMIT_CPU' a second time")]
    public void Validate_BadItem_NamesIt(string at, string json, string? field, string? cause)
    {
        if (field is null)
        {
            SpecValidator.Validate(OciJson.ParseSpec(Specs.With(at, json)));
            return;
        }

        InvalidSpecException exception = Refused(at, json);
        Assert.Equal((field, cause), (exception.Field, exception.Cause));
    }

    [Fact]
    public void Validate_HostnameWithoutUtsNamespace_SaysWhatToAdd()
    {
        RuntimeSpec spec = Specs.Parse(Specs.Minimal) with { Hostname = "h", Linux = new LinuxSpec { Namespaces = [] } };

        Assert.Equal("Add the namespace type 'uts'", Assert.Throws<InvalidSpecException>(() => SpecValidator.Validate(spec)).Remedy);
    }

    [Fact]
    public void Validate_OddEnvironmentAndCapability_OnlyWarns()
    {
        RuntimeSpec spec = Specs.Parse(Specs.Minimal);
        spec = spec with
        {
            Process = spec.Process! with
            {
                Env = ["A=1", "secret", "=x"],
                Capabilities = new LinuxCapabilities { Bounding = ["CAP_KILL", "CAP_FLY"] },
            },
        };

        Assert.Equal(
            [
                "/process/env/1 is not of the form NAME=value: programs will not find it",
                "/process/env/2 is not of the form NAME=value: programs will not find it",
                "/process/capabilities/bounding/1 holds 'CAP_FLY', which is no known capability: it is not granted",
            ],
            SpecValidator.Validate(spec));
    }

    [Fact]
    public void ValidateProcess_BadField_PointsIntoTheProcess() =>
        Assert.Equal(
            "/cwd",
            Assert.Throws<InvalidSpecException>(() => SpecValidator.ValidateProcess(new ProcessSpec { Cwd = "x", Args = ["a"] })).Field);

    private static InvalidSpecException Refused(string at, string? json)
    {
        RuntimeSpec spec = OciJson.ParseSpec(Specs.With(at, json));
        return Assert.Throws<InvalidSpecException>(() => SpecValidator.Validate(spec));
    }
}
