# Made by tests/cli/completions.py.
# Usage:
# 1) Copy this to ~/.config/fish/completions/claude-openai-proxy.fish
# 2) Ensure a binary named claude-openai-proxy is in your PATH
# See also: https://fishshell.com/docs/current/completions.html#where-to-put-completions


# Parse current commandline:
# - _shtab_claude_openai_proxy_cmdpath=(sub)command path seen so far
# - _shtab_claude_openai_proxy_npos=number of positional arguments given after it
# - options are skipped based on _shtab_claude_openai_proxy_opts_with_value & _shtab_claude_openai_proxy_commands lists
function _shtab_claude_openai_proxy_scan
  set -g _shtab_claude_openai_proxy_cmdpath ''
  set -g _shtab_claude_openai_proxy_npos 0
  set -l tokens (commandline -opc)
  set -e tokens[1]
  set -l expect_value 0
  for t in $tokens
    if test $expect_value -eq 1
      set expect_value 0
      continue
    end
    switch "$t"
      case '--*=*'
        continue
      case '-*'
        if contains -- $t $_shtab_claude_openai_proxy_opts_with_value
          set expect_value 1
        end
        continue
      case '*'
        if test $_shtab_claude_openai_proxy_npos -eq 0
          set -l candidate $t
          if test -n "$_shtab_claude_openai_proxy_cmdpath"
            set candidate "$_shtab_claude_openai_proxy_cmdpath $t"
          end
          if contains -- $candidate $_shtab_claude_openai_proxy_commands
            set -g _shtab_claude_openai_proxy_cmdpath $candidate
            continue
          end
        end
        set -g _shtab_claude_openai_proxy_npos (math $_shtab_claude_openai_proxy_npos + 1)
    end
  end
end

# Condition helper: true if the current (sub)command path equals the given one.
function _shtab_claude_openai_proxy_using
  _shtab_claude_openai_proxy_scan
  test "$_shtab_claude_openai_proxy_cmdpath" = "$argv"
end

set -g _shtab_claude_openai_proxy_commands serve models doctor login selftest chat batch setup service config completion keys 'keys add' 'keys limit' 'keys list' 'keys show' 'keys rotate' 'keys revoke' 'keys off' storage 'storage check' 'storage compact' 'storage migrate' 'storage export' 'storage import' status logs usage
set -g _shtab_claude_openai_proxy_opts_with_value --at --budget --by --client --end-with --env-file --expires --host --key --log-level --model --models --out --overlap --port --report --rpm --since --status --tpm --upstream --url --workers

complete -c claude-openai-proxy -e
complete -c claude-openai-proxy -f

complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l version -s V -d 'print the version'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l host -x -d 'Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed: localhost, an IP address or a host name. Default: localhost (127.0.0.1 and ::1). (PROXY_HOST)'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l workers -x -d 'Processes that serve the port together; bounds such as MAX_CONCURRENT_REQUESTS are shared out. Allowed: a whole number from 1 to 64. Default: 1. (WORKERS)'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l log-level -x -d 'How much is logged. Prompts, answers and secrets never are. Allowed: debug, info, warning or error. Default: info. (LOG_LEVEL)'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l reload -d 'for development: start anew when a source file changes'
complete -c claude-openai-proxy -n _shtab_claude_openai_proxy_using -l end-with -x -d 'stop when this inherited pipe is closed (used by --reload)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a serve -d 'serve the API (default; `start` is the same)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l host -x -d 'Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed: localhost, an IP address or a host name. Default: localhost (127.0.0.1 and ::1). (PROXY_HOST)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l workers -x -d 'Processes that serve the port together; bounds such as MAX_CONCURRENT_REQUESTS are shared out. Allowed: a whole number from 1 to 64. Default: 1. (WORKERS)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l log-level -x -d 'How much is logged. Prompts, answers and secrets never are. Allowed: debug, info, warning or error. Default: info. (LOG_LEVEL)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l reload -d 'for development: start anew when a source file changes'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using serve' -l end-with -x -d 'stop when this inherited pipe is closed (used by --reload)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a models -d 'list the aliases and models'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using models' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using models' -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using models' -l log-level -x -d 'How much is logged. Prompts, answers and secrets never are. Allowed: debug, info, warning or error. Default: info. (LOG_LEVEL)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using models' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using models' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using models' -l json -d 'print the body of GET /v1/models'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a doctor -d 'check everything that an answer depends on'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -l host -x -d 'Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed: localhost, an IP address or a host name. Default: localhost (127.0.0.1 and ::1). (PROXY_HOST)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -l no-request -d 'do not send a small request to Claude'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using doctor' -l json -d 'print one JSON object instead of a table'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a login -d 'log in with Claude Code'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using login' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using login' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using login' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using login' -l console -d 'with an account of the Claude Console instead of a plan'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a selftest -d 'try what clients need on the running server, or on a private one'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l url -x -d 'the server that is tried (default: http://localhost:PORT/v1)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l model -x -d 'the model that is asked (custom-claude-4-sonnet)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l json -d 'print one JSON object instead of a table'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using selftest' -l report -x -d 'write a file for a bug report: no secret, no address, no content'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a chat -d 'ask one question and see the answer as it comes'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using chat' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using chat' -l model -x -d 'an alias, a line or a model id (custom-claude-4-sonnet)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using chat' -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using chat' -l log-level -x -d 'How much is logged. Prompts, answers and secrets never are. Allowed: debug, info, warning or error. Default: info. (LOG_LEVEL)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using chat' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using chat' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a batch -d 'run a file of requests (JSONL, as OpenAI'"'"'s Batch API takes it), at half price where Claude'"'"'s API answers'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using batch' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using batch' -l wait -d 'stay until it has ended, and write its results'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using batch' -l out -x -d 'where results go (standard output); errors: FILE.errors'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using batch' -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using batch' -l log-level -x -d 'How much is logged. Prompts, answers and secrets never are. Allowed: debug, info, warning or error. Default: info. (LOG_LEVEL)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using batch' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using batch' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a setup -d 'point a client program at the proxy, and prove that it works'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l url -x -d 'where the proxy is, with /v1 (default: http://localhost:PORT/v1)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l model -x -d 'the model to begin with (default: custom-claude-4-sonnet)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l at -x -d 'open-webui: where it runs; an administrator'"'"'s key in OPEN_WEBUI_API_KEY'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l container -d 'it runs in a container of this machine'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l yes -d 'write without asking'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l dry-run -d 'show what would be written, write nothing'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l no-proof -d 'do not send the requests that prove it'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l prove -d 'write nothing, only prove'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using setup' -l undo -d 'take back what was written'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a service -d 'run the server as a service of this user'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using service' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using service' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using service' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using service; and test $_shtab_claude_openai_proxy_npos -eq 0' -ka "install status logs print uninstall" -d verb
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a config -d 'show every setting, its value and where it comes from'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l host -x -d 'Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed: localhost, an IP address or a host name. Default: localhost (127.0.0.1 and ::1). (PROXY_HOST)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l upstream -x -d 'The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found. Allowed: auto, api or claude-code. Default: auto. (CLAUDE_UPSTREAM)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l workers -x -d 'Processes that serve the port together; bounds such as MAX_CONCURRENT_REQUESTS are shared out. Allowed: a whole number from 1 to 64. Default: 1. (WORKERS)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l log-level -x -d 'How much is logged. Prompts, answers and secrets never are. Allowed: debug, info, warning or error. Default: info. (LOG_LEVEL)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using config' -l json -d 'print one JSON object'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a completion -d 'print what makes a shell complete commands and flags'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using completion' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using completion; and test $_shtab_claude_openai_proxy_npos -eq 0' -ka "bash zsh fish" -d shell
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a keys -d 'make, list and take back keys for clients'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys; and test $_shtab_claude_openai_proxy_npos -eq 0' -a add -d 'make a key; it is shown once, on standard output'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys add' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys add' -l models -x -d 'may ask these only: aliases, lines or ids, comma-separated'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys add' -l expires -x -d 'opens the door for so long: 90d, 12h, 4w'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys add' -l operator -d 'may also see what belongs to others: usage, logs, health'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys add' -l rpm -x -d 'answers that may be asked for in a minute'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys add' -l tpm -x -d 'tokens in a minute, input and output'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys add' -l budget -x -d 'US dollars on a day (UTC), by list price: 2.50/day'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys; and test $_shtab_claude_openai_proxy_npos -eq 0' -a limit -d 'other limits for a key, in place of those it has; without any: none'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys limit' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys limit' -l rpm -x -d 'answers that may be asked for in a minute'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys limit' -l tpm -x -d 'tokens in a minute, input and output'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys limit' -l budget -x -d 'US dollars on a day (UTC), by list price: 2.50/day'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys; and test $_shtab_claude_openai_proxy_npos -eq 0' -a list -d 'every key that opens the door'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys list' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys; and test $_shtab_claude_openai_proxy_npos -eq 0' -a show -d 'what is known of one'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys show' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys; and test $_shtab_claude_openai_proxy_npos -eq 0' -a rotate -d 'another key under the same name'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys rotate' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys rotate' -l overlap -x -d 'both work for so long (24h); 0m: only the new'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys; and test $_shtab_claude_openai_proxy_npos -eq 0' -a revoke -d 'let a name in no more'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys revoke' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys; and test $_shtab_claude_openai_proxy_npos -eq 0' -a off -d 'keys are not required any more; valid ones still say who asks'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using keys off' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a storage -d 'check, compact or move what is kept'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage; and test $_shtab_claude_openai_proxy_npos -eq 0' -a check -d 'read all of it; exit code 1 where something is wrong'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage check' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage; and test $_shtab_claude_openai_proxy_npos -eq 0' -a compact -d 'give free space back to the disk; a running server waits meanwhile'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage compact' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage; and test $_shtab_claude_openai_proxy_npos -eq 0' -a migrate -d 'make its tables those of this version, as every start does'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage migrate' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage; and test $_shtab_claude_openai_proxy_npos -eq 0' -a export -d 'write all of it to a new SQLite file, as STATE_DIR has one'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage export' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage; and test $_shtab_claude_openai_proxy_npos -eq 0' -a import -d 'bring all of such a file into an empty database'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using storage import' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a status -d 'the running server in one screen: login, limits, queue, clients, today'"'"'s use'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using status' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using status' -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using status' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using status' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using status' -l url -x -d 'where the server is (default: http://localhost:PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using status' -l json -d 'print the body of GET /status'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a logs -d 'the running server'"'"'s last requests, and with -f each one as it ends'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l port -x -d 'Port to listen on; 0 takes any free one. Allowed: a whole number from 0 to 65535 (0: any free port). Default: 3000. (PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l url -x -d 'where the server is (default: http://localhost:PORT)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -s f -l follow -d 'go on with each request as it ends'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l key -x -d 'of this client key only'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l client -x -d 'of clients whose name (user-agent) has this in it'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l status -x -d 'of this status only: 429, 5xx, or error'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using logs' -l json -d 'print the lines as JSON'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using; and test $_shtab_claude_openai_proxy_npos -eq 0' -a usage -d 'what the requests used and cost, by day, model, key, client'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -s h -l help -d 'show this help message and exit'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -l env-file -x -d 'read this file instead of .env of the working directory'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -l demo -d 'answer with the built-in simulator: no login, no network'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -l by -xka "day hour model key client upstream billed" -d 'a line for each (day; days and hours in UTC)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -l since -x -d 'the last 30m, 24h, 7d, 4w (7d)'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -l json -d 'print the body of GET /usage'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -l csv -d 'print a table for a spreadsheet'
complete -c claude-openai-proxy -n '_shtab_claude_openai_proxy_using usage' -l open -d 'print a link to the page, good for a minute and once'
