using System.Text;

namespace Kata.Runtime.Completion;

/// <summary>The script for zsh: the walk of <see cref="BashScript"/> with zsh's words for offering.</summary>
internal static class ZshScript
{
    public static string Make(CompletionModel model)
    {
        var text = new StringBuilder();
        text.Append(
            """
            #compdef kata-runtime
            # zsh completion for kata-runtime. Made by 'kata-runtime completion zsh'.
            _kata_runtime() {
              local cur=${words[CURRENT]} program=${words[1]} word_path='' want='' word
              local -i operands=0 i
              local -a root
              for ((i = 2; i < CURRENT; i++)); do
                word=${words[i]}
                if [[ -n $want ]]; then
                  if [[ $want == --root ]]; then root=(--root $word); fi
                  want=''
                  continue
                fi
                case "$word_path $word" in

            """);
        ScriptParts.Walk(text, model, "      ", "word_path");
        text.Append(
            """
                esac
              done
              if [[ -n $want ]]; then
                case "$word_path $want" in

            """);
        ScriptParts.Values(text, model, "      ", Action);
        text.Append(
            """
                esac
              elif [[ $cur == -* ]]; then
                case $word_path in

            """);
        ScriptParts.Options(text, model, "      ", Action);
        text.Append(
            """
                esac
              else
                case "$word_path $operands" in

            """);
        ScriptParts.Operands(text, model, "      ", Action);
        text.Append(
            """
                esac
              fi
            }
            if [[ $funcstack[1] == _kata_runtime ]]; then
              _kata_runtime "$@"
            else
              compdef _kata_runtime kata-runtime
            fi

            """);
        return text.ToString();
    }

    private static string Action(Candidates candidates) => candidates.Kind switch
    {
        CandidateKind.Words => $"compadd -- {string.Join(' ', candidates.Words)}",
        CandidateKind.Files => "_files",
        CandidateKind.Directories => "_files -/",
        CandidateKind.ContainerIds => "compadd -- ${(f)\"$($program $root list --quiet 2> /dev/null)\"}",
        _ => ":",
    };
}
