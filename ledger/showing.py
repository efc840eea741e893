"""How values of the ledger are shown: as plain ones, money as "85.00", days and moments as text."""

from collections.abc import Callable
from datetime import date
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from ledger import events as e
from ledger import moments
from ledger.money import money, quantity

_ENVELOPE = frozenset(e.Event.__struct_fields__)


def plain(value: Any) -> Any:
    """A value as JSON has it: days and moments as text, structures as objects; whole numbers stay numbers."""
    if isinstance(value, date):
        return moments.shown(value)
    if isinstance(value, Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


@cache
def fields(kind: type[Struct]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The fields of an event or of a part of one, each with how it is shown: money as "85.00"."""
    hints = get_type_hints(kind, include_extras=True)
    own = (name for name in kind.__struct_fields__ if name not in _ENVELOPE or not issubclass(kind, e.Event))
    return tuple((name, _shower(hints[name])) for name in own)


def _shower(hint: Any) -> Callable[[Any], Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        forms = {meta.extra["form"] for meta in hint.__metadata__ if meta.extra and "form" in meta.extra}
        return money if "money" in forms else quantity if "quantity" in forms else plain
    if origin in (Union, UnionType):
        show = _shower(next(part for part in inner if part is not type(None)))
        return lambda value: None if value is None else show(value)
    if origin is tuple and inner[-1] is Ellipsis:
        each = _shower(inner[0])
        return lambda value: [each(part) for part in value]
    if isinstance(hint, type) and issubclass(hint, Struct):
        return lambda value: {name: show(getattr(value, name)) for name, show in fields(hint)}
    return plain
