"""The one exception that reaches a user."""


class WarehouseError(Exception):
    """Something the user can act on. Its message is one line: what is wrong, where, and what to do.

    The message never holds an e-mail address, a survey comment or any other cell of the user's data.
    The command line prints it and exits with status 1.
    """
