namespace Kata.Runtime.Cni;

/// <summary>What kind of failure a plugin tells of: the specification's numbers, and from 100 on this plugin's own.</summary>
internal enum CniErrorCode
{
    /// <summary>The version is none of ours, or has no such command.</summary>
    IncompatibleVersion = 1,

    /// <summary>A variable of the environment is missing or wrong.</summary>
    InvalidEnvironment = 4,

    /// <summary>Something cannot be read.</summary>
    InputOutput = 5,

    /// <summary>What was given is no JSON, or of another form.</summary>
    Decoding = 6,

    /// <summary>The configuration is wrong.</summary>
    InvalidConfiguration = 7,

    /// <summary>STATUS: this host cannot run pods.</summary>
    NotAvailable = 50,

    /// <summary>No guest can have an interface.</summary>
    InterfaceRefused = 100,

    /// <summary>The network namespace does not have an interface of the result.</summary>
    InterfaceMissing = 101,

    /// <summary>The pod's guest has not what the result says.</summary>
    GuestDiffers = 102,

    /// <summary>The pod's service or its guest refused, or does not answer.</summary>
    PodRefused = 103,

    /// <summary>Whatever has no number of its own.</summary>
    Internal = 999,
}
