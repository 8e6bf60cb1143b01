"""The one exception that means "the input is wrong", as opposed to "the program is wrong"."""


class InputError(ValueError):
    """Bad input, described in one sentence that says what is wrong and what to do.

    The command line prints the sentence and exits with code 2; the page shows it in place of the
    result. Anything else that escapes is a bug and keeps its traceback.
    """
