"""What a rule asks of a terminal, one class a question; `ALL` has them by the name that suites use."""

from __future__ import annotations

from pos_host.certification.checks import answers, clocks, forms, numbers, reversals, security, settlements, uploads
from pos_host.certification.checks.check import Check

ALL: dict[str, type[Check]] = {
    **answers.CHECKS,
    **clocks.CHECKS,
    **forms.CHECKS,
    **numbers.CHECKS,
    **reversals.CHECKS,
    **security.CHECKS,
    **settlements.CHECKS,
    **uploads.CHECKS,
}
