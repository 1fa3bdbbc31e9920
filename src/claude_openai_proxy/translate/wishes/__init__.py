"""What a client of any dialect can want, as plain values, and the rules that make a Messages request of it.

Rules: a wish is a value without any dialect's type; where an error or a note must name a field, the wish carries the
client's name of it. Each rule stands whole in the file of its name (`tool_choice`, `thinking`, `sampling`, ...).
Start with `wishes.Wishes`, then `assembly.Assembly`: a dialect's reader hands it wishes, feeds its conversation with
turns, and takes the `Translation`.
"""
