"""What a firm may set per gate and region: every option with its allowed values, the default first."""

from collections.abc import Mapping

from domain.readiness import Gate

OPTIONS: Mapping[Gate, Mapping[str, tuple[str, ...]]] = {
    Gate.CUSTOMER_DATA: {
        "tax_id": ("optional", "required"),
        "payment_terms": ("required", "optional"),
        "credit_limit": ("optional", "required"),
    },
    Gate.LEGAL_ENTITY: {"open_period": ("required", "optional")},
    Gate.TAX_RULES: {
        "place": ("country", "state"),
        "customer_registration": ("optional", "required"),
        "withholding": ("none", "tds"),
    },
    Gate.RATE_CARD: {"floor": ("checked", "ignored")},
    Gate.STAFFING: {"approval": ("either", "psa", "person")},
    Gate.BILLING_STRUCTURE: {
        "customer_po": ("optional", "required"),
        "contract_value": ("all_lines", "fixed_lines"),
    },
}


def default(gate: Gate, option: str) -> str:
    """The value an option has when the profile does not set it."""
    return OPTIONS[gate][option][0]
