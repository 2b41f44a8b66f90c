using System.CommandLine;
using Kata.Service;

namespace Kata.Runtime.Commands;

/// <summary>The options of <c>service</c> that a shim's start gives it.</summary>
internal sealed class ContainerdServiceOptions
{
    private readonly Option<string?> _namespace = new("--containerd-namespace");
    private readonly Option<string> _socket = new("--containerd-socket") { DefaultValueFactory = static _ => "" };
    private readonly Option<string> _address = new("--containerd-address") { DefaultValueFactory = static _ => "" };
    private readonly Option<string> _events = new("--containerd-events") { DefaultValueFactory = static _ => "" };
    private readonly Option<string> _publisher = new("--containerd-publisher") { DefaultValueFactory = static _ => "" };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _namespace, _socket, _address, _events, _publisher })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Null when no containerd started the service.</summary>
    public ContainerdOptions? Read(ParseResult result) => result.GetValue(_namespace) is { } name
        ? new ContainerdOptions(
            name, result.GetValue(_socket)!, result.GetValue(_address)!, result.GetValue(_events)!, result.GetValue(_publisher)!)
        : null;
}
