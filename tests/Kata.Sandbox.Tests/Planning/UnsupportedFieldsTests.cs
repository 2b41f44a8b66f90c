using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class UnsupportedFieldsTests
{
    [Theory]
    [InlineData(
        """{"mounts":[{"destination":"/a","type":"tmpfs"},{"destination":"/m","source":"/x","options":["bind","idmap"]}]}""",
        "/mounts/1/options")]
    [InlineData("""{"mounts":[{"destination":"/m","type":"tmpfs","options":["idmap=uids=0-1-1;gids=0-1-1"]}]}""", "/mounts/0/options")]
    [InlineData(
        """{"mounts":[{"destination":"/m","source":"/x","options":["bind"],"uidMappings":[{"containerID":0,"hostID":1,"size":1}]}]}""",
        "/mounts/0/uidMappings")]
    [InlineData("""{"mounts":[{"destination":"/m","source":"/x","options":["bind","nosymfollow"]}]}""", "/mounts/0/options")]
    [InlineData("""{"linux":{"intelRdt":{"closID":"x"}}}""", "/linux/intelRdt")]
    [InlineData("""{"linux":{"netDevices":{"eth0":{"name":"x"}}}}""", "/linux/netDevices/eth0")]
    [InlineData("""{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/x"}}}""", "/linux/seccomp/listenerPath")]
    [InlineData("""{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_NOTIFY"}}}""", "/linux/seccomp/defaultAction")]
    [InlineData(
        """{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"SCMP_ACT_NOTIFY"}]}}}""",
        "/linux/seccomp/syscalls/0/action")]
    public void Check_WhatAMachineCannotGive_IsRefusedByItsField(string members, string field) =>
        Assert.Equal(field, Assert.Throws<InvalidSpecException>(() => Check(members)).Field);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"linux":{"namespaces":[{"type":"pid"},{"type":"time"}],"timeOffsets":{"monotonic":{"secs":1}}}}""")]
    [InlineData(
        """{"mounts":[{"destination":"/m","source":"/x","options":["rbind","rro","rnosuid"]}],"linux":"""
            + """{"seccomp":{"defaultAction":"SCMP_ACT_KILL"}}}""")]
    public void Check_TheRest_IsAccepted(string members) => Assert.Empty(Check(members));

    private static List<string> Check(string members)
    {
        var warnings = new List<string>();
        string rest = members[1..].TrimStart() is "}" ? "}" : "," + members[1..];
        UnsupportedFields.Check(OciJson.ParseSpec(System.Text.Encoding.UTF8.GetBytes("{\"ociVersion\":\"1.2.0\"" + rest)), warnings);
        return warnings;
    }
}
