"""The rules are tested as cases."""

from tests.cases import case

__all__ = ["case"]
