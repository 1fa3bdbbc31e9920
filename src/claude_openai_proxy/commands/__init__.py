"""The commands, one file each: what a person may say, and what is told of it.

Each has `HELP` (a line), `add_flags(parser)` and `run(invocation)`, which returns the exit code; what the user can
mend is raised as `SettingsError`, `AddressError` or `UntrustedLoginError`. A new command is a file here and a row in
`table.COMMANDS`. The environment comes with the invocation: only `cli.py` reads it. Start with `invocation.py`.
"""
