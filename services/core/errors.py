"""The two errors that cross module borders, named after the duty that they impose on whoever catches them.

Anything else that is raised is a bug or a wrong setting, and stops the process.
"""


class Transient(Exception):
    """The same call may succeed later: wait and repeat.

    Nothing that the call was asked to do may be taken as done; what it does is safe to do twice.
    """


class Rejected(Exception):
    """This input can never succeed: set it aside with the reason, go on."""
