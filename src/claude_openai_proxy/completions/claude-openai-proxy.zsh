#compdef claude-openai-proxy

# Made by tests/cli/completions.py.
# Usage:
# 1) Copy this to a file named _claude-openai-proxy (e.g. ~/.local/share/zsh_completion/_claude-openai-proxy).
# 2) Add the following line to your .zshrc:
#    fpath=(~/.local/share/zsh_completion $fpath)
# See also: https://github.com/zsh-users/zsh-completions/blob/master/zsh-completions-howto.org


_shtab_claude_openai_proxy_commands() {
  local _commands=(
    batch:'run a file of requests (JSONL, as OpenAI'"'"'s Batch API takes it), at half price where Claude'"'"'s API answers'
    chat:'ask one question and see the answer as it comes'
    completion:'print what makes a shell complete commands and flags'
    config:'show every setting, its value and where it comes from'
    doctor:'check everything that an answer depends on'
    keys:'make, list and take back keys for clients'
    login:'log in with Claude Code'
    logs:'the running server'"'"'s last requests, and with -f each one as it ends'
    models:'list the aliases and models'
    selftest:'try what clients need on the running server, or on a private one'
    serve:'serve the API (default; `start` is the same)'
    service:'run the server as a service of this user'
    setup:'point a client program at the proxy, and prove that it works'
    status:'the running server in one screen: login, limits, queue, clients, today'"'"'s use'
    storage:'check, compact or move what is kept'
    usage:'what the requests used and cost, by day, model, key, client'
  )
  _describe 'claude-openai-proxy commands' _commands
}

_shtab_claude_openai_proxy_keys_commands() {
  local _commands=(
    add:'make a key; it is shown once, on standard output'
    limit:'other limits for a key, in place of those it has; without any: none'
    list:'every key that opens the door'
    off:'keys are not required any more; valid ones still say who asks'
    revoke:'let a name in no more'
    rotate:'another key under the same name'
    show:'what is known of one'
  )
  _describe 'claude-openai-proxy keys commands' _commands
}

_shtab_claude_openai_proxy_storage_commands() {
  local _commands=(
    check:'read all of it; exit code 1 where something is wrong'
    compact:'give free space back to the disk; a running server waits meanwhile'
    export:'write all of it to a new SQLite file, as STATE_DIR has one'
    import:'bring all of such a file into an empty database'
    migrate:'make its tables those of this version, as every start does'
  )
  _describe 'claude-openai-proxy storage commands' _commands
}

_shtab_claude_openai_proxy_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  {--version,-V}"[print the version]"
  "--host[Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed\: localhost, an IP address or a host name. Default\: localhost (127.0.0.1 and \:\:1). (PROXY_HOST)]:HOST:"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--workers[Processes that serve the port together\; bounds such as MAX_CONCURRENT_REQUESTS are shared out. Allowed\: a whole number from 1 to 64. Default\: 1. (WORKERS)]:WORKERS:"
  "--log-level[How much is logged. Prompts, answers and secrets never are. Allowed\: debug, info, warning or error. Default\: info. (LOG_LEVEL)]:LOG_LEVEL:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--reload[for development\: start anew when a source file changes]"
  "--end-with[stop when this inherited pipe is closed (used by --reload)]:DESCRIPTOR:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_defaults_added=0

_shtab_claude_openai_proxy_batch_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--wait[stay until it has ended, and write its results]"
  "--out[where results go (standard output)\; errors\: FILE.errors]:FILE:"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--log-level[How much is logged. Prompts, answers and secrets never are. Allowed\: debug, info, warning or error. Default\: info. (LOG_LEVEL)]:LOG_LEVEL:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  ":the requests\; or the id of a batch that was begun before:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_batch_defaults_added=0

_shtab_claude_openai_proxy_chat_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--model[an alias, a line or a model id (custom-claude-4-sonnet)]:model:"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--log-level[How much is logged. Prompts, answers and secrets never are. Allowed\: debug, info, warning or error. Default\: info. (LOG_LEVEL)]:LOG_LEVEL:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "(*):in words\; - reads them from standard input:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_chat_defaults_added=0

_shtab_claude_openai_proxy_completion_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  ":shell:(bash zsh fish)"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_completion_defaults_added=0

_shtab_claude_openai_proxy_config_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--host[Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed\: localhost, an IP address or a host name. Default\: localhost (127.0.0.1 and \:\:1). (PROXY_HOST)]:HOST:"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--workers[Processes that serve the port together\; bounds such as MAX_CONCURRENT_REQUESTS are shared out. Allowed\: a whole number from 1 to 64. Default\: 1. (WORKERS)]:WORKERS:"
  "--log-level[How much is logged. Prompts, answers and secrets never are. Allowed\: debug, info, warning or error. Default\: info. (LOG_LEVEL)]:LOG_LEVEL:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--json[print one JSON object]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_config_defaults_added=0

_shtab_claude_openai_proxy_doctor_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--host[Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed\: localhost, an IP address or a host name. Default\: localhost (127.0.0.1 and \:\:1). (PROXY_HOST)]:HOST:"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--no-request[do not send a small request to Claude]"
  "--json[print one JSON object instead of a table]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_doctor_defaults_added=0

_shtab_claude_openai_proxy_keys_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_defaults_added=0

_shtab_claude_openai_proxy_keys_add_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--models[may ask these only\: aliases, lines or ids, comma-separated]:models:"
  "--expires[opens the door for so long\: 90d, 12h, 4w]:expires:"
  "--operator[may also see what belongs to others\: usage, logs, health]"
  "--rpm[answers that may be asked for in a minute]:N:"
  "--tpm[tokens in a minute, input and output]:N:"
  "--budget[US dollars on a day (UTC), by list price\: 2.50\/day]:USD/day:"
  ":name:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_add_defaults_added=0

_shtab_claude_openai_proxy_keys_limit_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--rpm[answers that may be asked for in a minute]:N:"
  "--tpm[tokens in a minute, input and output]:N:"
  "--budget[US dollars on a day (UTC), by list price\: 2.50\/day]:USD/day:"
  ":name:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_limit_defaults_added=0

_shtab_claude_openai_proxy_keys_list_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_list_defaults_added=0

_shtab_claude_openai_proxy_keys_off_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_off_defaults_added=0

_shtab_claude_openai_proxy_keys_revoke_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  ":name:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_revoke_defaults_added=0

_shtab_claude_openai_proxy_keys_rotate_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--overlap[both work for so long (24h)\; 0m\: only the new]:overlap:"
  ":name:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_rotate_defaults_added=0

_shtab_claude_openai_proxy_keys_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  ":name:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_keys_show_defaults_added=0

_shtab_claude_openai_proxy_login_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--console[with an account of the Claude Console instead of a plan]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_login_defaults_added=0

_shtab_claude_openai_proxy_logs_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--url[where the server is (default\: http\:\/\/localhost\:PORT)]:URL:"
  {-f,--follow}"[go on with each request as it ends]"
  "--key[of this client key only]:NAME:"
  "--client[of clients whose name (user-agent) has this in it]:TEXT:"
  "--status[of this status only\: 429, 5xx, or error]:STATUS:"
  "--json[print the lines as JSON]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_logs_defaults_added=0

_shtab_claude_openai_proxy_models_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--log-level[How much is logged. Prompts, answers and secrets never are. Allowed\: debug, info, warning or error. Default\: info. (LOG_LEVEL)]:LOG_LEVEL:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--json[print the body of GET \/v1\/models]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_models_defaults_added=0

_shtab_claude_openai_proxy_selftest_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--url[the server that is tried (default\: http\:\/\/localhost\:PORT\/v1)]:URL:"
  "--model[the model that is asked (custom-claude-4-sonnet)]:MODEL:"
  "--json[print one JSON object instead of a table]"
  "--report[write a file for a bug report\: no secret, no address, no content]:FILE:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_selftest_defaults_added=0

_shtab_claude_openai_proxy_serve_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--host[Address to listen on. Anything but a loopback address needs PROXY_API_KEYS. Allowed\: localhost, an IP address or a host name. Default\: localhost (127.0.0.1 and \:\:1). (PROXY_HOST)]:HOST:"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--upstream[The way to Claude\: the API with a key, Claude Code with its own login, or whichever login is found. Allowed\: auto, api or claude-code. Default\: auto. (CLAUDE_UPSTREAM)]:UPSTREAM:"
  "--workers[Processes that serve the port together\; bounds such as MAX_CONCURRENT_REQUESTS are shared out. Allowed\: a whole number from 1 to 64. Default\: 1. (WORKERS)]:WORKERS:"
  "--log-level[How much is logged. Prompts, answers and secrets never are. Allowed\: debug, info, warning or error. Default\: info. (LOG_LEVEL)]:LOG_LEVEL:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--reload[for development\: start anew when a source file changes]"
  "--end-with[stop when this inherited pipe is closed (used by --reload)]:DESCRIPTOR:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_serve_defaults_added=0

_shtab_claude_openai_proxy_service_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  ":verb:(install status logs print uninstall)"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_service_defaults_added=0

_shtab_claude_openai_proxy_setup_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--url[where the proxy is, with \/v1 (default\: http\:\/\/localhost\:PORT\/v1)]:URL:"
  "--model[the model to begin with (default\: custom-claude-4-sonnet)]:MODEL:"
  "--at[open-webui\: where it runs\; an administrator\'s key in OPEN_WEBUI_API_KEY]:URL:"
  "--container[it runs in a container of this machine]"
  "--yes[write without asking]"
  "--dry-run[show what would be written, write nothing]"
  "--no-proof[do not send the requests that prove it]"
  "--prove[write nothing, only prove]"
  "--undo[take back what was written]"
  ":without one\: what is installed, what is set up:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_setup_defaults_added=0

_shtab_claude_openai_proxy_status_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--port[Port to listen on\; 0 takes any free one. Allowed\: a whole number from 0 to 65535 (0\: any free port). Default\: 3000. (PORT)]:PORT:"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--url[where the server is (default\: http\:\/\/localhost\:PORT)]:URL:"
  "--json[print the body of GET \/status]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_status_defaults_added=0

_shtab_claude_openai_proxy_storage_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_storage_defaults_added=0

_shtab_claude_openai_proxy_storage_check_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_storage_check_defaults_added=0

_shtab_claude_openai_proxy_storage_compact_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_storage_compact_defaults_added=0

_shtab_claude_openai_proxy_storage_export_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  ":FILE:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_storage_export_defaults_added=0

_shtab_claude_openai_proxy_storage_import_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  ":FILE:"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_storage_import_defaults_added=0

_shtab_claude_openai_proxy_storage_migrate_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_storage_migrate_defaults_added=0

_shtab_claude_openai_proxy_usage_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--env-file[read this file instead of .env of the working directory]:FILE:"
  "--demo[answer with the built-in simulator\: no login, no network]"
  "--by[a line for each (day\; days and hours in UTC)]:by:(day hour model key client upstream billed)"
  "--since[the last 30m, 24h, 7d, 4w (7d)]:SPAN:"
  "--json[print the body of GET \/usage]"
  "--csv[print a table for a spreadsheet]"
  "--open[print a link to the page, good for a minute and once]"
)

# guard to ensure default positional specs are added only once per session
_shtab_claude_openai_proxy_usage_defaults_added=0


_shtab_claude_openai_proxy() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->claude-openai-proxy'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_claude_openai_proxy_defaults_added )); then
    if (( ${_shtab_claude_openai_proxy_options[(I)${(q)one_or_more}*]} +          ${_shtab_claude_openai_proxy_options[(I)${(q)remainder}*]} +          ${_shtab_claude_openai_proxy_options[(I)${(q)default}]} == 0 )); then
      _shtab_claude_openai_proxy_options+=(': :_shtab_claude_openai_proxy_commands' '*::: :->claude-openai-proxy')
    fi
    _shtab_claude_openai_proxy_defaults_added=1
  fi
  _arguments -C -s $_shtab_claude_openai_proxy_options

  case $state in
    claude-openai-proxy)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_claude_openai_proxy-$line[1]:"
      case $line[1] in
        batch) _arguments -C -s $_shtab_claude_openai_proxy_batch_options ;;
        chat) _arguments -C -s $_shtab_claude_openai_proxy_chat_options ;;
        completion) _arguments -C -s $_shtab_claude_openai_proxy_completion_options ;;
        config) _arguments -C -s $_shtab_claude_openai_proxy_config_options ;;
        doctor) _arguments -C -s $_shtab_claude_openai_proxy_doctor_options ;;
        keys) _shtab_claude_openai_proxy_keys ;;
        login) _arguments -C -s $_shtab_claude_openai_proxy_login_options ;;
        logs) _arguments -C -s $_shtab_claude_openai_proxy_logs_options ;;
        models) _arguments -C -s $_shtab_claude_openai_proxy_models_options ;;
        selftest) _arguments -C -s $_shtab_claude_openai_proxy_selftest_options ;;
        serve) _arguments -C -s $_shtab_claude_openai_proxy_serve_options ;;
        service) _arguments -C -s $_shtab_claude_openai_proxy_service_options ;;
        setup) _arguments -C -s $_shtab_claude_openai_proxy_setup_options ;;
        status) _arguments -C -s $_shtab_claude_openai_proxy_status_options ;;
        storage) _shtab_claude_openai_proxy_storage ;;
        usage) _arguments -C -s $_shtab_claude_openai_proxy_usage_options ;;
      esac
  esac
}

_shtab_claude_openai_proxy_keys() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->keys'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_claude_openai_proxy_keys_defaults_added )); then
    if (( ${_shtab_claude_openai_proxy_keys_options[(I)${(q)one_or_more}*]} +          ${_shtab_claude_openai_proxy_keys_options[(I)${(q)remainder}*]} +          ${_shtab_claude_openai_proxy_keys_options[(I)${(q)default}]} == 0 )); then
      _shtab_claude_openai_proxy_keys_options+=(': :_shtab_claude_openai_proxy_keys_commands' '*::: :->keys')
    fi
    _shtab_claude_openai_proxy_keys_defaults_added=1
  fi
  _arguments -C -s $_shtab_claude_openai_proxy_keys_options

  case $state in
    keys)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_claude_openai_proxy_keys-$line[1]:"
      case $line[1] in
        add) _arguments -C -s $_shtab_claude_openai_proxy_keys_add_options ;;
        limit) _arguments -C -s $_shtab_claude_openai_proxy_keys_limit_options ;;
        list) _arguments -C -s $_shtab_claude_openai_proxy_keys_list_options ;;
        off) _arguments -C -s $_shtab_claude_openai_proxy_keys_off_options ;;
        revoke) _arguments -C -s $_shtab_claude_openai_proxy_keys_revoke_options ;;
        rotate) _arguments -C -s $_shtab_claude_openai_proxy_keys_rotate_options ;;
        show) _arguments -C -s $_shtab_claude_openai_proxy_keys_show_options ;;
      esac
  esac
}

_shtab_claude_openai_proxy_storage() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->storage'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_claude_openai_proxy_storage_defaults_added )); then
    if (( ${_shtab_claude_openai_proxy_storage_options[(I)${(q)one_or_more}*]} +          ${_shtab_claude_openai_proxy_storage_options[(I)${(q)remainder}*]} +          ${_shtab_claude_openai_proxy_storage_options[(I)${(q)default}]} == 0 )); then
      _shtab_claude_openai_proxy_storage_options+=(': :_shtab_claude_openai_proxy_storage_commands' '*::: :->storage')
    fi
    _shtab_claude_openai_proxy_storage_defaults_added=1
  fi
  _arguments -C -s $_shtab_claude_openai_proxy_storage_options

  case $state in
    storage)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_claude_openai_proxy_storage-$line[1]:"
      case $line[1] in
        check) _arguments -C -s $_shtab_claude_openai_proxy_storage_check_options ;;
        compact) _arguments -C -s $_shtab_claude_openai_proxy_storage_compact_options ;;
        export) _arguments -C -s $_shtab_claude_openai_proxy_storage_export_options ;;
        import) _arguments -C -s $_shtab_claude_openai_proxy_storage_import_options ;;
        migrate) _arguments -C -s $_shtab_claude_openai_proxy_storage_migrate_options ;;
      esac
  esac
}



typeset -A opt_args

if [[ $zsh_eval_context[-1] == eval ]]; then
  # eval/source/. command, register function for later
  compdef _shtab_claude_openai_proxy -N claude-openai-proxy
else
  # autoload from fpath, call function directly
  _shtab_claude_openai_proxy "$@"
fi
