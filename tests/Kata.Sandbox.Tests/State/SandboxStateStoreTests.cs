using System.Text.Json;
using System.Text.Json.Nodes;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class SandboxStateStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string StatePath => _directory.File("state.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_WhatWasWritten_IsEqual()
    {
        SandboxState state = State("running");
        SandboxStateStore.Write(StatePath, state);
        SandboxState read = SandboxStateStore.Read(StatePath)!;
        Assert.Equal(
            JsonSerializer.Serialize(state, SandboxJsonContext.Default.SandboxState),
            JsonSerializer.Serialize(read, SandboxJsonContext.Default.SandboxState));
        Assert.Equal(state.Service, read.Service);
        Assert.Equal(state.Network, read.Network);
        Assert.Equal("why\nnot", read.Containers[0].Reason);
        Assert.False(File.Exists(StatePath + ".new"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(StatePath));
    }

    [Theory]
    [InlineData(ContainerStatus.Creating, "creating")]
    [InlineData(ContainerStatus.Created, "created")]
    [InlineData(ContainerStatus.Running, "running")]
    [InlineData(ContainerStatus.Paused, "paused")]
    [InlineData(ContainerStatus.Stopped, "stopped")]
    internal void Write_EveryStatus_IsTheSpecificationsWord(ContainerStatus status, string word)
    {
        SandboxState state = State("x");
        SandboxStateStore.Write(StatePath, state with { Containers = [state.Containers[0] with { Status = status }] });
        Assert.Contains($"\"{word}\"", File.ReadAllText(StatePath), StringComparison.Ordinal);
        Assert.Equal(status, SandboxStateStore.Read(StatePath)!.Containers[0].Status);
    }

    [Fact]
    public void Read_NoFileOrNoDirectory_IsNull()
    {
        Assert.Null(SandboxStateStore.Read(StatePath));
        Assert.Null(SandboxStateStore.Read(_directory.File("none/state.json")));
    }

    [Fact]
    public void Read_DocumentOfAnOlderVersion_HasWhatItLacksAsIfItWereNew()
    {
        const string Pod = "{\"version\":1,\"id\":\"p\",\"runtime\":\"x\",\"service\":{\"pid\":1,\"startTime\":2}";
        File.WriteAllText(StatePath, Pod + "}");
        Assert.Empty(SandboxStateStore.Read(StatePath)!.Containers);
        Assert.Null(SandboxStateStore.Read(StatePath)!.Network);

        File.WriteAllText(
            StatePath,
            Pod + ",\"containers\":[{\"id\":\"c\",\"ociVersion\":\"1.0.2\",\"bundle\":\"/b\",\"rootFs\":\"/r\","
                + "\"status\":\"running\",\"created\":\"2026-01-02T03:04:05Z\"}]}");
        ContainerState container = Assert.Single(SandboxStateStore.Read(StatePath)!.Containers);
        Assert.Empty(container.Annotations);
        Assert.Equal(0, container.StartHookSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":1")]
    public void Read_Malformed_NamesTheFileAndTheRemedy(string text)
    {
        File.WriteAllText(StatePath, text);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SandboxStateStore.Read(StatePath));
        Assert.Contains(StatePath, error.Message, StringComparison.Ordinal);
        Assert.EndsWith("'kata-runtime delete --force'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("id")]
    [InlineData("runtime")]
    [InlineData("service")]
    [InlineData("containers")]
    [InlineData("containers/0")]
    [InlineData("containers/0/id")]
    [InlineData("containers/0/bundle")]
    [InlineData("containers/0/annotations")]
    [InlineData("containers/0/annotations/a")]
    public void Read_NullOfAMandatoryPart_IsRefusedInOurWords(string part)
    {
        SandboxStateStore.Write(StatePath, State("x"));
        JsonNode document = JsonNode.Parse(File.ReadAllText(StatePath))!;
        string[] names = part.Split('/');
        JsonNode at = names[..^1].Aggregate(document, static (node, name) => node is JsonArray list ? list[0]! : node[name]!);
        if (at is JsonArray items)
        {
            items[0] = null;
        }
        else
        {
            at[names[^1]] = null;
        }

        File.WriteAllText(StatePath, document.ToJsonString());
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SandboxStateStore.Read(StatePath));
        Assert.EndsWith("'kata-runtime delete --force'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("BytePositionInLine", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_PlaceTakenByADirectory_ThrowsWhatCallersCatch()
    {
        Directory.CreateDirectory(StatePath + ".new");
        Assert.Contains(
            "Cannot write the pod state", Assert.Throws<IOException>(() => SandboxStateStore.Write(StatePath, State("x"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LaterVersion_NamesBothVersions()
    {
        SandboxStateStore.Write(StatePath, State("x"));
        JsonNode document = JsonNode.Parse(File.ReadAllText(StatePath))!;
        string key = document.AsObject().First(static pair => pair.Key.Equals("version", StringComparison.OrdinalIgnoreCase)).Key;
        document[key] = 2;
        File.WriteAllText(StatePath, document.ToJsonString());
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SandboxStateStore.Read(StatePath));
        Assert.Contains("its version is 2, this runtime knows up to 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_HugeFile_IsRefused()
    {
        using (FileStream file = File.Create(StatePath))
        {
            file.SetLength((16 * 1024 * 1024) + 1);
        }

        Assert.Throws<InvalidDataException>(() => SandboxStateStore.Read(StatePath));
    }

    [Fact]
    public void Write_FullDiskAndLongDocument_TheOldOneStands()
    {
        SandboxStateStore.Write(StatePath, State("old"));
        File.CreateSymbolicLink(StatePath + ".new", "/dev/full");
        Assert.Throws<IOException>(() => SandboxStateStore.Write(StatePath, State(new string('x', 4096))));
        Assert.Equal("old", SandboxStateStore.Read(StatePath)!.Hypervisor);
    }

    [Theory]
    [InlineData("a longer text than before")]
    [InlineData("")]
    public void Write_FullDisk_ReplacesADocumentOfAboutItsLength(string hypervisor)
    {
        SandboxStateStore.Write(StatePath, State("old"));
        File.CreateSymbolicLink(StatePath + ".new", "/dev/full");
        SandboxStateStore.Write(StatePath, State(hypervisor));
        Assert.Equal(hypervisor, SandboxStateStore.Read(StatePath)!.Hypervisor);
        Assert.False(File.Exists(StatePath + ".new"));
    }

    private static SandboxState State(string hypervisor) => new()
    {
        Version = SandboxState.CurrentVersion,
        Id = "pod",
        Runtime = "0.1.0+abc",
        Service = new ProcessIdentity(42, ulong.MaxValue),
        Hypervisor = hypervisor,
        Network = new NamespaceState(4, ulong.MaxValue),
        Containers =
        [
            new ContainerState
            {
                Id = "pod",
                OciVersion = "1.0.2",
                Bundle = "/b/ü",
                RootFs = "/b/rootfs",
                Status = ContainerStatus.Stopped,
                Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
                ExitStatus = 255,
                Reason = "why\nnot",
                Annotations = new Dictionary<string, string> { ["a"] = "'b'" },
            },
        ],
    };
}
