"""Units of money as this vendor counts them: `..._in_cents` is in base units, not always 1/100."""

_NO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def base_unit(currency: str) -> int:
    """How many base units make one unit of the currency: USD 100, JPY 1, BHD 1000."""
    if currency in _NO_DECIMALS:
        return 1
    return 1000 if currency in _THREE_DECIMALS else 100
