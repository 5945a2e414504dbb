"""The networks and losses of each room on tiny inputs, as makers of a `Case`.

A name is that of the room's ``__all__``, after a comma what is special about the case. `LEFT_OUT` says of every other
name of ``__all__`` why there is no case of it. A module imports its room alone: where a package is missing, that room
is skipped.
"""
