"""Every life of the host has a model beside it."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

import pos_host.merchants
import pos_host.money
from pos_host.merchants.lives import Life

MODELLED = {
    "agreement": "agreement_model",
    "closure": "closure_model",
    "complaint": "complaint_model",
    "escalation": "escalation_model",
    "late_difference": "late_difference_model",
    "look_back": "look_back_model",
    "merchant": "merchant_model",
    "payout": "payout_model",
    "reopening": "closure_model",
    "right_request": "people_model",
    "risk_pattern": "pattern_model",
    "settlement_account": "account_change_model",
    "settlement_account_change": "account_change_model",
    "settlement_application": "application_model",
    "settlement_holder": "holder_change_model",
    "settlement_holder_change": "holder_change_model",
    "terminal": "closure_model",
    "user": "people_model",
}


def lives() -> set[str]:
    """The names of all tables that the modules of the merchant's side and of money hold."""
    found: set[str] = set()
    for package in (pos_host.merchants, pos_host.money):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            things = vars(importlib.import_module(module.name)).values()
            found |= {thing.name for thing in things if isinstance(thing, Life)}
    return found


def test_every_life_has_a_model() -> None:
    assert lives() == {*MODELLED}


def test_the_models_are_there() -> None:
    for model in set(MODELLED.values()):
        assert importlib.util.find_spec(f"tests.stateful.{model}"), model
