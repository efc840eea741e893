"""What the ledger answers instead of recording: every rule or reason that stood in the way."""


class Refused(Exception):
    """A command was not recorded; `code` is a stable word, the message a sentence, `rules` the ids that forbade it."""

    def __init__(self, code: str, message: str, rules: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.rules = rules


class Invalid(Refused):
    """A command cannot be read: `field` names what is wrong with it."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(code, message)
        self.field = field
