"""The names everybody uses: functions, outcomes, meanings. One vocabulary in dialects, events and pages."""

from __future__ import annotations

FUNCTIONS = (
    "sign_in",
    "sign_off",
    "echo",
    "parameters",
    "status",
    "balance",
    "purchase",
    "purchase_void",
    "refund",
    "refund_void",
    "cash_advance",
    "auth",
    "auth_void",
    "completion",
    "completion_advice",
    "completion_void",
    "offline_purchase",
    "adjust",
    "reversal",
    "settlement",
    "batch_upload",
    "batch_upload_end",
    "script_result",
    "signature",
    "tc_advice",
    "unsupported",
)
"""What a message can mean."""

CARD_OUTCOMES = (
    "approved",
    "partially_approved",
    "refer_to_issuer",
    "pick_up_card",
    "do_not_honour",
    "suspected_fraud",
    "lost_card",
    "stolen_card",
    "insufficient_funds",
    "expired_card",
    "wrong_pin",
    "pin_tries_exceeded",
    "pin_block_wrong",
    "cryptogram_wrong",
    "not_permitted_to_card",
    "over_limit",
    "too_many_uses",
    "restricted_card",
    "restricted_card_kept",
    "issuer_unavailable",
)
"""What a card's issuer can say."""

OUTCOMES = (
    *CARD_OUTCOMES,
    "format_error",
    "unsupported_function",
    "unknown_merchant",
    "merchant_closed",
    "unknown_terminal",
    "terminal_closed",
    "not_allowed_now",
    "wrong_batch",
    "duplicate_differs",
    "late_original",
    "already_voided",
    "already_reversed",
    "already_completed",
    "original_not_found",
    "original_settled",
    "original_differs",
    "invalid_card",
    "invalid_amount",
    "out_of_balance_send_batch",
    "out_of_balance",
    "amounts_differ",
    "mac_wrong",
    "mac_missing",
    "internal_error",
)
"""What can become of a request; each dialect maps the name to its code."""

DECLINED_BY_RULE = "declined_by_rule"
"""What a scenario rule declines with a code that no issuer says. No dialect maps it: the decision keeps its code."""

MEANINGS = frozenset(
    {
        "batch_number",
        "original_batch_number",
        "original_mti",
        "original_stan",
        "original_date",
        "original_datetime",
        "original_rrn",
        "original_amount",
        "rrn",
        "approval_code",
        "invoice",
        "account_type",
        "ksn",
        "partial_approval",
        "wallet_code",
    }
)
"""What a host looks for in a request besides the elements that mean the same in every dialect."""

ANSWERS = (
    "local_time",
    "local_date",
    "settlement_date",
    "acquirer_id",
    "rrn",
    "approval_code",
    "response_code",
    "institutions",
    "totals",
    "batch_info",
    "card_organisation",
    "pan",
    "settlement_code",
    "working_keys",
    "icc_data",
    "credits_count",
    "credits_reversal_count",
    "debits_count",
    "debits_reversal_count",
    "credits_amount",
    "credits_reversal_amount",
    "debits_amount",
    "debits_reversal_amount",
    "net_settlement",
    "approved_amount",
    "balances",
    "terminal_parameters",
    "merchant_lines",
    "ca_key",
    "ca_key_list",
    "application",
    "application_list",
)
"""What a host can put into an element of its answer."""

MAC_ALGORITHMS = ("pos-ecb", "x9.19", "x9.9", "cmac", "cmac-aes", "chanjet")
"""What a dialect can choose from; `pos_specs.security.mac` computes them, which a dialect is read without."""

PIN_FORMATS = ("iso-0", "iso-1", "iso-2", "iso-3", "iso-4", "no-pan")
"""PIN blocks by name, for `pos_specs.security.pin_block`."""
