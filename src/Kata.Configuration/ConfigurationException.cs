namespace Kata.Configuration;

/// <summary>A configuration file is wrong; nothing was done yet.</summary>
internal sealed class ConfigurationException : Exception
{
    internal ConfigurationException(ConfigurationOrigin origin, string cause, string remedy, Exception? innerException = null)
        : base($"Cannot use the configuration '{Kata.Oci.SpecText.Clean(origin.ToString())}': {cause}. {remedy}", innerException)
    {
        Origin = origin;
    }

    /// <summary>The file and line that are wrong.</summary>
    internal ConfigurationOrigin Origin { get; }
}
