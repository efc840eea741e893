"""What the ledger answers instead of recording: every rule or reason that stood in the way."""


class Refused(Exception):
    """A command was not recorded; `code` is a stable word, the message a sentence, `rules` the ids that forbade it.

    `field` names what the sentence is about, where that is one field.
    """

    def __init__(self, code: str, message: str, rules: tuple[str, ...] = (), field: str | None = None) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        self.code = code
        self.rules = rules
        self.field = printable(field) if field else field


class Invalid(Refused):
    """A command cannot be read."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(code, message, field=field)


def printable(text: str) -> str:
    """`text` as every door can print it: half of a character (a lone surrogate) is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def shown(value: object) -> str:
    """A value that was not taken, so that whoever gave it knows it again; cut where it is long."""
    if value is None:
        return "null"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
