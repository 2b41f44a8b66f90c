using System.Text;

namespace Kata.Runtime.Completion;

/// <summary>
/// The script for bash. It walks over the words before the cursor as our parser does, to know the command, how many operands it has had
/// and whether a value is due; then one <c>case</c> decides. The walk is the same in zsh, whose words count from one.
/// </summary>
internal static class BashScript
{
    public static string Make(CompletionModel model)
    {
        var text = new StringBuilder();
        text.Append(
            """
            # bash completion for kata-runtime. Made by 'kata-runtime completion bash'.
            _kata_runtime() {
              local cur=${COMP_WORDS[COMP_CWORD]} program=$1 path='' want='' operands=0 i word
              local root=()
              COMPREPLY=()
              if [[ $cur == '=' ]]; then cur=''; fi
              for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [[ $word == '=' ]]; then continue; fi # bash takes --option=value apart
                if [[ -n $want ]]; then
                  if [[ $want == --root ]]; then root=(--root "$word"); fi
                  want=''
                  continue
                fi
                case "$path $word" in

            """);
        ScriptParts.Walk(text, model, "      ");
        text.Append(
            """
                esac
              done
              if [[ -n $want ]]; then
                case "$path $want" in

            """);
        ScriptParts.Values(text, model, "      ", Action);
        text.Append(
            """
                esac
              elif [[ $cur == -* ]]; then
                case $path in

            """);
        ScriptParts.Options(text, model, "      ", Action);
        text.Append(
            """
                esac
              else
                case "$path $operands" in

            """);
        ScriptParts.Operands(text, model, "      ", Action);
        text.Append(
            """
                esac
              fi
            }
            complete -F _kata_runtime kata-runtime

            """);
        return text.ToString();
    }

    private static string Action(Candidates candidates) => candidates.Kind switch
    {
        CandidateKind.Words => Reply($"-W '{string.Join(' ', candidates.Words)}'"),
        CandidateKind.Files => "compopt -o filenames 2> /dev/null; " + Reply("-f"),
        CandidateKind.Directories => "compopt -o filenames 2> /dev/null; " + Reply("-d"),
        CandidateKind.ContainerIds => Reply("-W \"$(\"$program\" \"${root[@]}\" list --quiet 2> /dev/null)\""),
        _ => ":",
    };

    private static string Reply(string what) => $"mapfile -t COMPREPLY < <(compgen {what} -- \"$cur\")";
}
