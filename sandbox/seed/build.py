"""Puts the firm together."""

from sandbox.seed.firm import TODAY, Firm, FirmSize


def build(size: FirmSize) -> Firm:
    """The firm of a seed and size."""
    return Firm(size, "Fairlead Consulting", TODAY, (), (), (), (), (), (), (), (), (), ())
