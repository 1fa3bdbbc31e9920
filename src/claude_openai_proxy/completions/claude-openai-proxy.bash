# Made by tests/cli/completions.py.
# Usage:
# 1) Copy this to somewhere (e.g. ~/.local/share/bash_completion/claude-openai-proxy).
# 2) Add the following line to your .bashrc:
#    source ~/.local/share/bash_completion/claude-openai-proxy
# See also: https://github.com/scop/bash-completion/blob/main/doc/configuration.md

_shtab_claude_openai_proxy_keys_subparsers=(add limit list show rotate revoke off)
_shtab_claude_openai_proxy_storage_subparsers=(check compact migrate export import)
_shtab_claude_openai_proxy_subparsers=(serve models doctor login selftest chat batch setup service config completion keys storage status logs usage)

_shtab_claude_openai_proxy_serve_option_strings=(-h --help --host --port --upstream --workers --log-level --env-file --demo --reload --end-with)
_shtab_claude_openai_proxy_models_option_strings=(-h --help --upstream --log-level --env-file --demo --json)
_shtab_claude_openai_proxy_doctor_option_strings=(-h --help --host --port --upstream --env-file --demo --no-request --json)
_shtab_claude_openai_proxy_login_option_strings=(-h --help --env-file --demo --console)
_shtab_claude_openai_proxy_selftest_option_strings=(-h --help --port --upstream --env-file --demo --url --model --json --report)
_shtab_claude_openai_proxy_chat_option_strings=(-h --help --model --upstream --log-level --env-file --demo)
_shtab_claude_openai_proxy_batch_option_strings=(-h --help --wait --out --upstream --log-level --env-file --demo)
_shtab_claude_openai_proxy_setup_option_strings=(-h --help --port --env-file --demo --url --model --at --container --yes --dry-run --no-proof --prove --undo)
_shtab_claude_openai_proxy_service_option_strings=(-h --help --env-file --demo)
_shtab_claude_openai_proxy_config_option_strings=(-h --help --host --port --upstream --workers --log-level --env-file --demo --json)
_shtab_claude_openai_proxy_completion_option_strings=(-h --help)
_shtab_claude_openai_proxy_keys_add_option_strings=(-h --help --models --expires --operator --rpm --tpm --budget)
_shtab_claude_openai_proxy_keys_limit_option_strings=(-h --help --rpm --tpm --budget)
_shtab_claude_openai_proxy_keys_list_option_strings=(-h --help)
_shtab_claude_openai_proxy_keys_show_option_strings=(-h --help)
_shtab_claude_openai_proxy_keys_rotate_option_strings=(-h --help --overlap)
_shtab_claude_openai_proxy_keys_revoke_option_strings=(-h --help)
_shtab_claude_openai_proxy_keys_off_option_strings=(-h --help)
_shtab_claude_openai_proxy_keys_option_strings=(-h --help --env-file --demo)
_shtab_claude_openai_proxy_storage_check_option_strings=(-h --help)
_shtab_claude_openai_proxy_storage_compact_option_strings=(-h --help)
_shtab_claude_openai_proxy_storage_migrate_option_strings=(-h --help)
_shtab_claude_openai_proxy_storage_export_option_strings=(-h --help)
_shtab_claude_openai_proxy_storage_import_option_strings=(-h --help)
_shtab_claude_openai_proxy_storage_option_strings=(-h --help --env-file --demo)
_shtab_claude_openai_proxy_status_option_strings=(-h --help --port --env-file --demo --url --json)
_shtab_claude_openai_proxy_logs_option_strings=(-h --help --port --env-file --demo --url -f --follow --key --client --status --json)
_shtab_claude_openai_proxy_usage_option_strings=(-h --help --env-file --demo --by --since --json --csv --open)
_shtab_claude_openai_proxy_option_strings=(-h --help --version -V --host --port --upstream --workers --log-level --env-file --demo --reload --end-with)



_shtab_claude_openai_proxy_service_pos_0_choices=(install status logs print uninstall)
_shtab_claude_openai_proxy_completion_pos_0_choices=(bash zsh fish)
_shtab_claude_openai_proxy_keys_pos_0_choices=(add limit list show rotate revoke off)
_shtab_claude_openai_proxy_storage_pos_0_choices=(check compact migrate export import)
_shtab_claude_openai_proxy_usage___by_choices=(day hour model key client upstream billed)
_shtab_claude_openai_proxy_pos_0_choices=(serve models doctor login selftest chat batch setup service config completion keys storage status logs usage)

_shtab_claude_openai_proxy_serve__h_nargs=0
_shtab_claude_openai_proxy_serve___help_nargs=0
_shtab_claude_openai_proxy_serve___demo_nargs=0
_shtab_claude_openai_proxy_serve___reload_nargs=0
_shtab_claude_openai_proxy_models__h_nargs=0
_shtab_claude_openai_proxy_models___help_nargs=0
_shtab_claude_openai_proxy_models___demo_nargs=0
_shtab_claude_openai_proxy_models___json_nargs=0
_shtab_claude_openai_proxy_doctor__h_nargs=0
_shtab_claude_openai_proxy_doctor___help_nargs=0
_shtab_claude_openai_proxy_doctor___demo_nargs=0
_shtab_claude_openai_proxy_doctor___no_request_nargs=0
_shtab_claude_openai_proxy_doctor___json_nargs=0
_shtab_claude_openai_proxy_login__h_nargs=0
_shtab_claude_openai_proxy_login___help_nargs=0
_shtab_claude_openai_proxy_login___demo_nargs=0
_shtab_claude_openai_proxy_login___console_nargs=0
_shtab_claude_openai_proxy_selftest__h_nargs=0
_shtab_claude_openai_proxy_selftest___help_nargs=0
_shtab_claude_openai_proxy_selftest___demo_nargs=0
_shtab_claude_openai_proxy_selftest___json_nargs=0
_shtab_claude_openai_proxy_chat_pos_0_nargs=+
_shtab_claude_openai_proxy_chat__h_nargs=0
_shtab_claude_openai_proxy_chat___help_nargs=0
_shtab_claude_openai_proxy_chat___demo_nargs=0
_shtab_claude_openai_proxy_batch__h_nargs=0
_shtab_claude_openai_proxy_batch___help_nargs=0
_shtab_claude_openai_proxy_batch___wait_nargs=0
_shtab_claude_openai_proxy_batch___demo_nargs=0
_shtab_claude_openai_proxy_setup__h_nargs=0
_shtab_claude_openai_proxy_setup___help_nargs=0
_shtab_claude_openai_proxy_setup___demo_nargs=0
_shtab_claude_openai_proxy_setup___container_nargs=0
_shtab_claude_openai_proxy_setup___yes_nargs=0
_shtab_claude_openai_proxy_setup___dry_run_nargs=0
_shtab_claude_openai_proxy_setup___no_proof_nargs=0
_shtab_claude_openai_proxy_setup___prove_nargs=0
_shtab_claude_openai_proxy_setup___undo_nargs=0
_shtab_claude_openai_proxy_service__h_nargs=0
_shtab_claude_openai_proxy_service___help_nargs=0
_shtab_claude_openai_proxy_service___demo_nargs=0
_shtab_claude_openai_proxy_config__h_nargs=0
_shtab_claude_openai_proxy_config___help_nargs=0
_shtab_claude_openai_proxy_config___demo_nargs=0
_shtab_claude_openai_proxy_config___json_nargs=0
_shtab_claude_openai_proxy_completion__h_nargs=0
_shtab_claude_openai_proxy_completion___help_nargs=0
_shtab_claude_openai_proxy_keys_add__h_nargs=0
_shtab_claude_openai_proxy_keys_add___help_nargs=0
_shtab_claude_openai_proxy_keys_add___operator_nargs=0
_shtab_claude_openai_proxy_keys_limit__h_nargs=0
_shtab_claude_openai_proxy_keys_limit___help_nargs=0
_shtab_claude_openai_proxy_keys_list__h_nargs=0
_shtab_claude_openai_proxy_keys_list___help_nargs=0
_shtab_claude_openai_proxy_keys_show__h_nargs=0
_shtab_claude_openai_proxy_keys_show___help_nargs=0
_shtab_claude_openai_proxy_keys_rotate__h_nargs=0
_shtab_claude_openai_proxy_keys_rotate___help_nargs=0
_shtab_claude_openai_proxy_keys_revoke__h_nargs=0
_shtab_claude_openai_proxy_keys_revoke___help_nargs=0
_shtab_claude_openai_proxy_keys_off__h_nargs=0
_shtab_claude_openai_proxy_keys_off___help_nargs=0
_shtab_claude_openai_proxy_keys_pos_0_nargs=A...
_shtab_claude_openai_proxy_keys__h_nargs=0
_shtab_claude_openai_proxy_keys___help_nargs=0
_shtab_claude_openai_proxy_keys___demo_nargs=0
_shtab_claude_openai_proxy_storage_check__h_nargs=0
_shtab_claude_openai_proxy_storage_check___help_nargs=0
_shtab_claude_openai_proxy_storage_compact__h_nargs=0
_shtab_claude_openai_proxy_storage_compact___help_nargs=0
_shtab_claude_openai_proxy_storage_migrate__h_nargs=0
_shtab_claude_openai_proxy_storage_migrate___help_nargs=0
_shtab_claude_openai_proxy_storage_export__h_nargs=0
_shtab_claude_openai_proxy_storage_export___help_nargs=0
_shtab_claude_openai_proxy_storage_import__h_nargs=0
_shtab_claude_openai_proxy_storage_import___help_nargs=0
_shtab_claude_openai_proxy_storage_pos_0_nargs=A...
_shtab_claude_openai_proxy_storage__h_nargs=0
_shtab_claude_openai_proxy_storage___help_nargs=0
_shtab_claude_openai_proxy_storage___demo_nargs=0
_shtab_claude_openai_proxy_status__h_nargs=0
_shtab_claude_openai_proxy_status___help_nargs=0
_shtab_claude_openai_proxy_status___demo_nargs=0
_shtab_claude_openai_proxy_status___json_nargs=0
_shtab_claude_openai_proxy_logs__h_nargs=0
_shtab_claude_openai_proxy_logs___help_nargs=0
_shtab_claude_openai_proxy_logs___demo_nargs=0
_shtab_claude_openai_proxy_logs__f_nargs=0
_shtab_claude_openai_proxy_logs___follow_nargs=0
_shtab_claude_openai_proxy_logs___json_nargs=0
_shtab_claude_openai_proxy_usage__h_nargs=0
_shtab_claude_openai_proxy_usage___help_nargs=0
_shtab_claude_openai_proxy_usage___demo_nargs=0
_shtab_claude_openai_proxy_usage___json_nargs=0
_shtab_claude_openai_proxy_usage___csv_nargs=0
_shtab_claude_openai_proxy_usage___open_nargs=0
_shtab_claude_openai_proxy_pos_0_nargs=A...
_shtab_claude_openai_proxy__h_nargs=0
_shtab_claude_openai_proxy___help_nargs=0
_shtab_claude_openai_proxy___version_nargs=0
_shtab_claude_openai_proxy__V_nargs=0
_shtab_claude_openai_proxy___demo_nargs=0
_shtab_claude_openai_proxy___reload_nargs=0


# $1=COMP_WORDS[1]
_shtab_compgen_files() {
  compgen -f -- $1  # files
}

# $1=COMP_WORDS[1]
_shtab_compgen_dirs() {
  compgen -d -- $1  # recurse into subdirs
}

# $1=COMP_WORDS[1]
_shtab_replace_nonword() {
  echo "${1//[^[:word:]]/_}"
}

# set default values (called for the initial parser & any subparsers)
_set_parser_defaults() {
  local subparsers_var="${prefix}_subparsers[@]"
  sub_parsers=${!subparsers_var-}

  local current_option_strings_var="${prefix}_option_strings[@]"
  current_option_strings=${!current_option_strings_var}

  completed_positional_actions=0

  _set_new_action "pos_$completed_positional_actions" true
}

# $1=action identifier
# $2=positional action (bool)
# set all identifiers for an action's parameters
_set_new_action() {
  current_action="${prefix}_$(_shtab_replace_nonword $1)"

  local current_action_compgen_var=${current_action}_COMPGEN
  current_action_compgen="${!current_action_compgen_var-}"

  local current_action_choices_var="${current_action}_choices[@]"
  current_action_choices="${!current_action_choices_var-}"

  local current_action_nargs_var="${current_action}_nargs"
  if [ -n "${!current_action_nargs_var-}" ]; then
    current_action_nargs="${!current_action_nargs_var}"
  else
    current_action_nargs=1
  fi

  current_action_args_start_index=$(( $word_index + 1 - $pos_only ))

  current_action_is_positional=$2
}

# Notes:
# `COMPREPLY`: what will be rendered after completion is triggered
# `completing_word`: currently typed word to generate completions for
# `${!var}`: evaluates the content of `var` and expand its content as a variable
#     hello="world"
#     x="hello"
#     ${!x} -> ${hello} -> "world"
_shtab_claude_openai_proxy() {
  local completing_word="${COMP_WORDS[COMP_CWORD]}"
  local previous_word="${COMP_WORDS[COMP_CWORD-1]}"
  local completed_positional_actions
  local current_action
  local current_action_args_start_index
  local current_action_choices
  local current_action_compgen
  local current_action_is_positional
  local current_action_nargs
  local current_option_strings
  local sub_parsers
  COMPREPLY=()

  local prefix=_shtab_claude_openai_proxy
  local word_index=0
  local pos_only=0 # "--" delimiter not encountered yet
  _set_parser_defaults
  word_index=1

  # determine what arguments are appropriate for the current state
  # of the arg parser
  while [ $word_index -ne $COMP_CWORD ]; do
    local this_word="${COMP_WORDS[$word_index]}"

    if [[ $pos_only = 1 || " $this_word " != " -- " ]]; then
      if [[ -n $sub_parsers && " ${sub_parsers[@]} " == *" $this_word "* ]]; then
        # valid subcommand: add it to the prefix & reset the current action
        prefix="${prefix}_$(_shtab_replace_nonword $this_word)"
        _set_parser_defaults
      fi

      if [[ " ${current_option_strings[@]} " == *" $this_word "* ]]; then
        # a new action should be acquired (due to recognised option string or
        # no more input expected from current action);
        # the next positional action can fill in here
        _set_new_action $this_word false
      fi

      if [[ "$current_action_nargs" != "*" ]] && \
         [[ "$current_action_nargs" != "+" ]] && \
         [[ "$current_action_nargs" != "?" ]] && \
         [[ "$current_action_nargs" != *"..." ]] && \
         (( $word_index + 1 - $current_action_args_start_index - $pos_only >= \
            $current_action_nargs )); then
        $current_action_is_positional && let "completed_positional_actions += 1"
        _set_new_action "pos_$completed_positional_actions" true
      fi
    else
      pos_only=1 # "--" delimiter encountered
    fi

    let "word_index+=1"
  done

  # Generate the completions

  COMPREPLY=()
  if [[ $pos_only = 0 && "$completing_word" == -* &&
        ( -z "$current_action_compgen" || "$current_action_is_positional" = true ) ]]; then
    # optional argument started: use option strings
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
      compgen -W "${current_option_strings[*]}" -- "$completing_word")
  elif [[ "$previous_word" =~ ^[0-9\&]*[\<\>]\>?$ ]]; then
    # handle redirection operators
    compopt -o filenames 2>/dev/null || : # bash>=4
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$completing_word")
  else
    # use choices & compgen
    local action_compgen_word="$completing_word"
    # handle tab-completing in the middle of a line (#248 <- #116)
    [[ -n "$current_action_compgen" && "$completing_word" == -* ]] && action_compgen_word=""
    [ -n "$current_action_compgen" ] && {
      [[ "$current_action_compgen" =~ _(file|dir|glob|FILE|DIR|GLOB)|File|Dir|Glob ]] &&
        compopt -o filenames 2>/dev/null || : # bash>=4
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
        "$current_action_compgen" "$action_compgen_word")
    }
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
      compgen -W "${current_action_choices[*]}" -- "$completing_word")
  fi

  if [[ ${#COMPREPLY[@]} = 0 ]]; then
    # native fallback matches are not necessarily filenames (e.g. variables)
    compopt +o filenames 2>/dev/null || : # bash>=4
  fi

  return 0
}

complete -o bashdefault -F _shtab_claude_openai_proxy claude-openai-proxy
