using System.Globalization;

namespace Kata.Oci;

/// <summary>What an id may look like, so that it is a safe file name and a safe word in a log.</summary>
internal static class IdRule
{
    internal static string Check(string text, string what, int maxLength)
    {
        string remedy = string.Create(
            CultureInfo.InvariantCulture, $"Use 1 to {maxLength} characters from A-Z, a-z, 0-9, '_', '+', '-' and '.'");
        if (text.Length == 0)
            throw InvalidSpecException.ForId(what, text, "it is empty", remedy);

        if (text.Length > maxLength)
        {
            throw InvalidSpecException.ForId(
                what, text, string.Create(CultureInfo.InvariantCulture, $"it has {text.Length} characters"), remedy);
        }

        if (text is "." or "..")
            throw InvalidSpecException.ForId(what, text, "it means a directory", "Use another name");

        for (int i = 0; i < text.Length; i++)
        {
            if (!IsAllowed(text[i]))
            {
                string character = SpecText.Quote(text[i].ToString());
                throw InvalidSpecException.ForId(
                    what, text, string.Create(CultureInfo.InvariantCulture, $"character {i + 1} is {character}"), remedy);
            }
        }

        return text;
    }

    internal static bool IsValid(string text, int maxLength) =>
        text.Length > 0 && text.Length <= maxLength && text is not ("." or "..") && text.All(IsAllowed);

    private static bool IsAllowed(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '-' or '.';
}
