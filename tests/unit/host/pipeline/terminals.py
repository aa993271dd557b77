"""Terminals that build their messages by hand, element by element, so that a test can bend every one of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.unit.host.pipeline.host_in_process import HostInProcess, Line

from pos_specs.masking import luhn_digit
from pos_specs.message import Message
from pos_specs.totals import Side, Totals, write_hypercom, write_iso87, write_unionpay

MERCHANT, OTHER_MERCHANT = "898310000000001", "898310000000002"


def card(digits: str) -> str:
    """A card number: the digits and their check digit."""
    return digits + luhn_digit(digits)


UNIONPAY_CARD, OTHER_CARD = card("622848397465213"), card("621226839174605288")
VISA_CARD, MASTERCARD = card("411111739584602"), card("555555284917363")
CARDS = (UNIONPAY_CARD, OTHER_CARD, VISA_CARD, MASTERCARD)
TRACK_TAIL = "30122010194827365051"
"""What follows the card number on track 2: expiry, service code, discretionary data."""

WRONG_CARD = UNIONPAY_CARD[:-1] + str((int(UNIONPAY_CARD[-1]) + 1) % 10)


class Exchange(NamedTuple):
    """A request and its answer."""

    request: Message
    answer: Message

    @property
    def code(self) -> str | None:
        return self.answer.fields.get(39)

    @property
    def rrn(self) -> str:
        return self.answer.fields[37]

    @property
    def stan(self) -> str:
        return self.request.fields[11]

    @property
    def amount_minor(self) -> int:
        return int(self.request.fields[4])


class WireTerminal:
    """What the three kinds have in common: ids, a line, and a STAN that counts."""

    dialect = ""

    def __init__(
        self,
        host: HostInProcess,
        terminal_id: str = "T0000001",
        merchant_id: str = MERCHANT,
        *,
        line: Line | None = None,
    ) -> None:
        self.line = line or host.connect(self.dialect)
        self.ids = {41: terminal_id, 42: merchant_id}
        self.stan = 0
        self.batch = "000001"
        self.host = host

    def next_stan(self) -> str:
        self.stan = self.stan % 999_999 + 1
        return f"{self.stan:06d}"

    async def send(self, mti: str, fields: dict[int, str | None], changes: dict[int, str | None]) -> Exchange:
        """Send the fields with `changes` made; a field that is None is left out."""
        message = self.message(mti, fields, changes)
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    def message(self, mti: str, fields: dict[int, str | None], changes: dict[int, str | None]) -> Message:
        merged = {**self.ids, **fields, **changes}
        return Message(mti, {number: value for number, value in sorted(merged.items()) if value is not None})

    async def again(self, exchange: Exchange, mti: str | None = None, **over: Any) -> Exchange:
        """The same request once more, with `changes` made to it."""
        message = self.message(mti or exchange.request.mti, dict(exchange.request.fields), over.get("changes", {}))
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    def sale_fields(self, amount_minor: int, pan: str) -> dict[int, str | None]:
        return {2: pan, 4: f"{amount_minor:012d}", 11: self.next_stan()}


class UnionPayTerminal(WireTerminal):
    """Q/CUP 009.1 (unionpay.md section 3)."""

    dialect = "unionpay"

    async def sign_in(self, **changes: Any) -> Exchange:
        fields = {11: self.next_stan(), 60: f"00{self.batch}003", 63: "01 "}
        done = await self.send("0800", fields, _changes(changes))
        if done.code == "00":
            self.batch = done.answer.fields[60][2:8]
        return done

    async def sign_off(self) -> Exchange:
        return await self.send("0820", {11: self.next_stan(), 60: f"00{self.batch}002"}, {})

    async def echo(self) -> Exchange:
        return await self.send("0820", {60: f"00{self.batch}301"}, {})

    def purchase_message(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Message:
        fields = {
            **self.sale_fields(amount_minor, pan),
            3: "000000",
            22: "012",
            25: "00",
            49: "156",
            60: f"22{self.batch}000500",
        }
        return self.message("0200", fields, _changes(changes))

    async def purchase(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        message = self.purchase_message(amount_minor, pan, **changes)
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    async def void(self, sale: Exchange, **changes: Any) -> Exchange:
        fields = {
            **self._naming(sale, "23"),
            61: sale.request.fields[60][2:8] + sale.stan,
        }
        return await self.send("0200", fields, _changes(changes))

    async def refund(self, sale: Exchange, amount_minor: int, **changes: Any) -> Exchange:
        fields = {
            **self._naming(sale, "25"),
            4: f"{amount_minor:012d}",
            61: f"{sale.request.fields[60][2:8]}{sale.stan}0302",
            63: "CUP",
        }
        return await self.send("0220", fields, _changes(changes))

    async def auth(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        """A pre-authorisation; an additional one with `f25="60"` and the first one's code as `f38`."""
        fields = {**self._asking(amount_minor, pan, "10"), 3: "030000"}
        return await self.send("0100", fields, _changes(changes))

    async def auth_void(self, auth: Exchange, **changes: Any) -> Exchange:
        fields = {**self._of_auth(auth, auth.amount_minor, "11"), 3: "200000"}
        return await self.send("0100", fields, _changes(changes))

    async def complete(self, auth: Exchange, amount_minor: int, **changes: Any) -> Exchange:
        return await self.send("0200", self._of_auth(auth, amount_minor, "20"), _changes(changes))

    async def tell_completion(self, auth: Exchange, amount_minor: int, **changes: Any) -> Exchange:
        return await self.send("0220", self._of_auth(auth, amount_minor, "24"), _changes(changes))

    async def completion_void(self, done: Exchange, **changes: Any) -> Exchange:
        named = {25: "06", 61: f"{done.request.fields[60][2:8]}{done.stan}0302"}
        return await self.send("0200", {**self._naming(done, "21"), **named}, _changes(changes))

    async def offline_purchase(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        fields = {**self._asking(amount_minor, pan, "30"), 25: "00", 38: "998877", 61: "0" * 29}
        return await self.send("0220", fields, _changes(changes))

    async def electronic_cash(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        chip = {14: "3012", 22: "051", 25: "00", 55: "8A025931", 63: "CUP"}
        return await self.send("0200", {**self._asking(amount_minor, pan, "36"), **chip}, _changes(changes))

    async def adjust(self, sale: Exchange, amount_minor: int, kind: str = "32", **changes: Any) -> Exchange:
        named = {3: "000000", 4: f"{amount_minor:012d}", 38: "998877", 61: f"{self.batch}{sale.stan}0302"}
        return await self.send("0220", {**self._naming(sale, kind), **named}, _changes(changes))

    def _asking(self, amount_minor: int, pan: str, kind: str) -> dict[int, str | None]:
        shared = {3: "000000", 22: "012", 25: "06", 49: "156", 60: f"{kind}{self.batch}000500"}
        return {**self.sale_fields(amount_minor, pan), **shared}

    def _of_auth(self, auth: Exchange, amount_minor: int, kind: str) -> dict[int, str | None]:
        asking = self._asking(amount_minor, auth.request.fields[2], kind)
        first = f"{auth.request.fields[60][2:8]}{auth.stan}0302"
        return {**asking, 38: auth.answer.fields.get(38, "000000"), 61: first}

    def _naming(self, sale: Exchange, kind: str) -> dict[int, str | None]:
        return {
            2: sale.request.fields.get(2),
            3: "200000",
            4: sale.request.fields[4],
            11: self.next_stan(),
            22: "012",
            25: "00",
            37: sale.rrn,
            49: "156",
            60: f"{kind}{self.batch}000500",
        }

    def reversal_message(self, request: Message, **changes: Any) -> Message:
        kept = {number: request.fields.get(number) for number in (2, 3, 4, 11, 22, 25, 49, 60)}
        return self.message("0400", {**kept, 39: "98"}, _changes(changes))

    async def reverse(self, request: Message, **changes: Any) -> Exchange:
        message = self.reversal_message(request, **changes)
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    async def settle(self, totals: Totals, *, digits: int = 62, **changes: Any) -> Exchange:
        text = write_unionpay(totals, ("0", "0"), digits)
        fields = {11: self.next_stan(), 48: text, 49: "156", 60: f"00{self.batch}201", 63: "01 "}
        return await self.send("0500", fields, _changes(changes))

    async def upload(self, *records: tuple[str, str, int], **changes: Any) -> Exchange:
        """Records (STAN, PAN, amount) of magnetic stripe details, 0320/201."""
        text = f"{len(records):02d}" + "".join(f"00{stan}{pan:0>20}{amount:012d}" for stan, pan, amount in records)
        fields = {11: self.next_stan(), 48: text, 60: f"00{self.batch}201"}
        return await self.send("0320", fields, _changes(changes))

    async def upload_chip(self, code: str, stan: str, pan: str, amount_minor: int, **changes: Any) -> Exchange:
        """One record of 203, 205, 204 or 206 under its original's STAN."""
        usage = "61" if code in ("203", "205") else "71"
        tail = "" if usage == "61" else "10"
        status = "00" if usage == "61" else "11"
        fields = {
            2: pan,
            4: f"{amount_minor:012d}",
            11: stan,
            22: "051",
            60: f"00{self.batch}{code}",
            62: f"{usage}00{status}{amount_minor:012d}156{tail}".encode().hex().upper(),
        }
        return await self.send("0320", fields, _changes(changes))

    async def upload_advice(self, kind: str, stan: str, pan: str, amount_minor: int, **changes: Any) -> Exchange:
        """One record as its original 0220 or 0200 was: 25 refund, 24 completion, 30 offline …"""
        fields = {
            2: pan,
            3: "200000" if kind == "25" else "000000",
            4: f"{amount_minor:012d}",
            11: stan,
            22: "012",
            25: "06" if kind == "24" else "00",
            49: "156",
            60: f"{kind}{self.batch}000500",
        }
        return await self.send("0320", fields, _changes(changes))

    async def end_upload(self, count: int, code: str = "202", **changes: Any) -> Exchange:
        fields = {11: self.next_stan(), 48: f"{count:04d}", 60: f"00{self.batch}{code}"}
        return await self.send("0320", fields, _changes(changes))


class HypercomTerminal(WireTerminal):
    """Hypercom style (hypercom.md sections 2.2 to 2.7)."""

    dialect = "hypercom"

    def __init__(self, host: HostInProcess, terminal_id: str = "H0000001", **more: Any) -> None:
        super().__init__(host, terminal_id, **more)
        self.invoice = 0

    def next_invoice(self) -> str:
        self.invoice += 1
        return f"{self.invoice:06d}"

    async def sign_in(self, **changes: Any) -> Exchange:
        return await self.send("0800", {3: "920000", 11: self.next_stan(), 24: "003"}, _changes(changes))

    async def test(self, **changes: Any) -> Exchange:
        return await self.send("0800", {3: "990000", 11: self.next_stan(), 24: "003"}, _changes(changes))

    def purchase_message(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Message:
        fields = {
            **self.sale_fields(amount_minor, pan),
            3: "000000",
            22: "012",
            24: "003",
            25: "00",
            62: self.next_invoice(),
        }
        return self.message("0200", fields, _changes(changes))

    async def purchase(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        message = self.purchase_message(amount_minor, pan, **changes)
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    async def refund(
        self, sale: Exchange | None, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any
    ) -> Exchange:
        named = {37: sale.rrn} if sale is not None else {}
        return await self.purchase(amount_minor, pan, **{"f3": "200000", **_named(named), **changes})

    async def void(self, sale: Exchange, **changes: Any) -> Exchange:
        fields = {
            3: "020000",
            4: sale.request.fields[4],
            11: self.next_stan(),
            24: "003",
            37: sale.rrn,
            62: sale.request.fields[62],
        }
        return await self.send("0200", fields, _changes(changes))

    async def refund_void(self, refund: Exchange, **changes: Any) -> Exchange:
        return await self.void(refund, **{"f3": "220000", **changes})

    async def cash_advance(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        return await self.purchase(amount_minor, pan, **{"f3": "010000", **changes})

    async def auth(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        fields = self.purchase_message(amount_minor, pan).fields
        return await self.send("0100", {**fields, 3: "300000", 25: "06"}, _changes(changes))

    async def auth_void(self, auth: Exchange, **changes: Any) -> Exchange:
        fields = {3: "020000", 4: auth.request.fields[4], 11: self.next_stan(), 24: "003", 37: auth.rrn}
        return await self.send("0100", {**fields, 38: auth.answer.fields.get(38)}, _changes(changes))

    async def tell_completion(self, auth: Exchange, amount_minor: int, **changes: Any) -> Exchange:
        named = {25: "06", 37: auth.rrn, 38: auth.answer.fields.get(38, "000000"), 62: auth.request.fields[62]}
        fields = self.purchase_message(amount_minor, auth.request.fields[2]).fields
        return await self.send("0220", {**fields, **named}, _changes(changes))

    async def offline_purchase(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        fields = self.purchase_message(amount_minor, pan).fields
        return await self.send("0220", {**fields, 38: "998877"}, _changes(changes))

    async def adjust(self, sale: Exchange, amount_minor: int, **changes: Any) -> Exchange:
        """A tip: DE4 the new amount, DE60 the one before, under the sale's RRN and invoice."""
        fields = {
            2: sale.request.fields[2],
            3: "020000",
            4: f"{amount_minor:012d}",
            11: self.next_stan(),
            22: "012",
            24: "003",
            25: "00",
            37: sale.rrn,
            60: sale.request.fields[4],
            62: sale.request.fields[62],
        }
        return await self.send("0220", fields, _changes(changes))

    def reversal_message(self, request: Message, **changes: Any) -> Message:
        return self.message("0400", dict(request.fields), _changes(changes))

    async def reverse(self, request: Message, **changes: Any) -> Exchange:
        message = self.reversal_message(request, **changes)
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    async def settle(self, totals: Totals, *, groups: int = 6, trailer: bool = False, **changes: Any) -> Exchange:
        """0500/920000 with 90 digits (six groups) or fewer; `trailer` is 960000."""
        names = self.line.language.dialect.totals_groups[:groups]
        fields = {
            3: "960000" if trailer else "920000",
            11: self.next_stan(),
            24: "003",
            60: self.batch,
            63: write_hypercom(totals, names),
        }
        return await self.send("0500", fields, _changes(changes))

    async def upload(self, sale: Exchange, **changes: Any) -> Exchange:
        """The record of a sale, its DE3 ending in 1 and its original in DE60 without the RRN."""
        kept = {number: sale.request.fields.get(number) for number in (2, 4, 22, 24, 25, 62)}
        fields = {
            **kept,
            3: sale.request.fields[3][:5] + "1",
            11: self.next_stan(),
            24: "003",
            60: f"{sale.request.mti}{sale.stan}{' ' * 12}",
        }
        return await self.send("0320", fields, _changes(changes))


class Iso87Terminal(WireTerminal):
    """ISO 8583:1987 in ASCII (the issue's functions)."""

    dialect = "iso87-ascii"

    def __init__(self, host: HostInProcess, terminal_id: str = "I0000001", **more: Any) -> None:
        super().__init__(host, terminal_id, **more)

    async def network(self, code: str, **changes: Any) -> Exchange:
        return await self.send("0800", {7: "0302120000", 11: self.next_stan(), 70: code}, _changes(changes))

    async def sign_in(self, **changes: Any) -> Exchange:
        return await self.network("001", **changes)

    def purchase_message(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Message:
        fields = {**self.sale_fields(amount_minor, pan), 3: "000000", 12: "200000", 13: "0302", 49: "156"}
        return self.message("0200", fields, _changes(changes))

    async def purchase(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        message = self.purchase_message(amount_minor, pan, **changes)
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    async def refund(
        self, sale: Exchange | None, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any
    ) -> Exchange:
        named = {90: original_data(sale.request)} if sale is not None else {}
        return await self.purchase(amount_minor, pan, **{"f3": "200000", **_named(named), **changes})

    async def void(self, sale: Exchange, **changes: Any) -> Exchange:
        fields = {
            **self.sale_fields(sale.amount_minor, sale.request.fields[2]),
            3: "020000",
            12: "200001",
            13: "0302",
            49: "156",
            90: original_data(sale.request),
        }
        return await self.send("0200", fields, _changes(changes))

    async def refund_void(self, refund: Exchange, **changes: Any) -> Exchange:
        return await self.void(refund, **{"f3": "220000", **changes})

    async def cash_advance(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        return await self.purchase(amount_minor, pan, **{"f3": "010000", **changes})

    async def auth(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        return await self.send("0100", self.purchase_message(amount_minor, pan).fields, _changes(changes))

    async def auth_void(self, auth: Exchange, **changes: Any) -> Exchange:
        fields = self.purchase_message(auth.amount_minor, auth.request.fields[2]).fields
        named = {3: "020000", 38: auth.answer.fields.get(38), 90: original_data(auth.request)}
        return await self.send("0100", {**fields, **named}, _changes(changes))

    async def tell_completion(self, auth: Exchange, amount_minor: int, **changes: Any) -> Exchange:
        fields = self.purchase_message(amount_minor, auth.request.fields[2]).fields
        named = {25: "06", 38: auth.answer.fields.get(38, "000000"), 90: original_data(auth.request)}
        return await self.send("0220", {**fields, **named}, _changes(changes))

    async def offline_purchase(self, amount_minor: int, pan: str = UNIONPAY_CARD, **changes: Any) -> Exchange:
        return await self.send("0220", self.purchase_message(amount_minor, pan).fields, _changes(changes))

    def reversal_message(self, request: Message, *, mti: str = "0400", **changes: Any) -> Message:
        kept = {number: request.fields.get(number) for number in (2, 3, 4, 12, 13, 49)}
        return self.message(mti, {**kept, 11: self.next_stan(), 90: original_data(request)}, _changes(changes))

    async def reverse(self, request: Message, *, mti: str = "0400", **changes: Any) -> Exchange:
        message = self.reversal_message(request, mti=mti, **changes)
        return Exchange(message, await self.line.ask(message.mti, message.fields))

    async def settle(self, totals: Totals, **changes: Any) -> Exchange:
        fields = {7: "0302120000", 11: self.next_stan(), 12: "200500", 13: "0302", **write_iso87(totals)}
        return await self.send("0500", fields, _changes(changes))


def original_data(request: Message) -> str:
    """DE90: original MTI, STAN, date and time, no institutions."""
    fields = request.fields
    return f"{request.mti}{fields[11]}{fields.get(13, '0000')}{fields.get(12, '000000')}{'0' * 22}"


def debit_credit(debit: tuple[int, int] = (0, 0), credit: tuple[int, int] = (0, 0), half: str = "domestic") -> Totals:
    """UnionPay totals of one half: (count, amount) of each side."""
    return {f"{half}_debit": Side(*debit), f"{half}_credit": Side(*credit)}


def _changes(changes: dict[str, Any]) -> dict[int, str | None]:
    """Keyword arguments `f3="020000"` as elements."""
    return {int(name[1:]): value for name, value in changes.items()}


def _named(fields: dict[int, str]) -> dict[str, str]:
    return {f"f{number}": value for number, value in fields.items()}
