namespace Kata.Service;

/// <summary>How a record is written: one line of <c>key="value"</c> words, or one JSON object a line.</summary>
internal enum LogFormat
{
    Text,
    Json,
}
