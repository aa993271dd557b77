"""A merchant's year on a manual clock, through the public API and the wire only: what happened, and the money.

    python examples/merchant_year.py

It enrols, sells every day, forgets to settle twice, changes its account and its holder, replaces a faulty terminal and
closes. It ends with `pos-host verify`; the exit code is that of verify.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from demo_host import command, running_host
from office_api import OfficeApi, Refused
from shop_terminal import ShopTerminal

from pos_specs.currencies import find_currency, show_amount

MERCHANT, FIRST, SECOND = "104110070110814", "T0000001", "T0000002"
ZONE = ZoneInfo("Asia/Shanghai")
NEW_YEAR = datetime(2026, 1, 1, 9, 0, tzinfo=ZONE)
CARDS = ("unionpay-debit", "unionpay-credit", "visa")
FIRST_ACCOUNT, SECOND_ACCOUNT, MISTYPED_ACCOUNT = "6217000012345678907", "6225880123456783", "6225880123456784"
SOLD_EACH_DAY = 2


class Year:
    """The merchant's year: its terminal on the wire, and the people at the acquirer."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.port = int(ready["listeners"][0]["port"])
        self.admin = OfficeApi(ready["http"], ready["admin_token"])
        self.now = NEW_YEAR
        self.terminal = self.new_terminal(FIRST)
        self.sold = 0

    def new_terminal(self, terminal_id: str) -> ShopTerminal:
        """A terminal of the merchant, as delivered."""
        return ShopTerminal(self.port, MERCHANT, terminal_id, lambda: self.now.replace(tzinfo=None))

    async def live(self) -> None:
        """From the first of January to the end of December."""
        self.enrol()
        await self.terminal.sign_in()
        await self.trade_until(2, 10)
        await self.forget_and_be_settled()
        await self.trade_until(4, 20)
        await self.forget_and_apply()
        await self.trade_until(6, 15)
        await self.change_account()
        await self.trade_until(9, 1)
        await self.change_holder()
        await self.trade_until(11, 5)
        await self.replace_terminal()
        await self.trade_until(12, 20)
        await self.close()

    # -- every day

    async def trade_until(self, month: int, day: int) -> None:
        """Sell and settle every day, up to the evening before that day."""
        while (self.now.month, self.now.day) < (month, day):
            await self.sell_some()
            await self.until(20)
            settled = await self.terminal.settle()
            assert settled.closed is not None, f"{self.now:%d %B}: {settled.reason}"
            await self.until(9)

    async def sell_some(self) -> None:
        """The day's purchases; a terminal that is told to sign in does so and goes on."""
        for _ in range(SOLD_EACH_DAY):
            amount_minor = 1_000 + 37 * (self.sold % 900)
            card = CARDS[self.sold % len(CARDS)]
            sale = await self.terminal.sell(card, amount_minor)
            if not sale.approved:
                self.tell(f"the terminal was answered {sale.code}, signs in and sells again")
                await self.terminal.sign_in()
                sale = await self.terminal.sell(card, amount_minor)
            assert sale.approved, f"{self.now:%d %B}: {sale.code}"
            self.sold += 1

    async def until(self, hour: int) -> None:
        """Move the host's clock to that local hour, today or tomorrow; all that falls due meanwhile happens."""
        then = self.now.replace(hour=hour)
        if then <= self.now:
            then += timedelta(days=1)
        seconds = int((then - self.now).total_seconds())
        await asyncio.to_thread(self.admin.post, "/clock", advance=f"PT{seconds}S")
        self.now = then

    async def days(self, count: int) -> None:
        """Wait, with the shop shut."""
        for _ in range(count):
            await self.until(9)

    def tell(self, what: str) -> None:
        """A line of the timeline."""
        print(f"{self.now:%Y-%m-%d %H:%M}  {what}", flush=True)

    # -- what happens in the year

    def enrol(self) -> None:
        """The acquirer takes the merchant on, with its terminal, its account and its holder; and who may act."""
        self.operator = self.admin.as_user(self.admin.post("/users", name="li.na", role="operator")["token"])
        self.reviewer = self.admin.as_user(self.admin.post("/users", name="wang.wei", role="reviewer")["token"])
        self.colleague = self.admin.as_user(self.admin.post("/users", name="chen.jie", role="reviewer")["token"])
        self.admin.post("/merchants", merchant_id=MERCHANT, name="Noodles at the Gate", licence_number="91310000MA1K3")
        self.admin.post(f"/merchants/{MERCHANT}/terminals", terminal_id=FIRST)
        self.admin.post(f"/merchants/{MERCHANT}/settlement-accounts", **account(FIRST_ACCOUNT, "102"))
        holder = {"name": "Zhang San", "identity": "11010519491231002X"}
        self.admin.post(f"/merchants/{MERCHANT}/settlement-holders", **holder)
        self.policy(auto_settle="02:00")
        self.tell(f"merchant {MERCHANT} is taken on with terminal {FIRST}; what it forgets is settled at 02:00")

    def policy(self, **values: str) -> None:
        """Set the merchant's own part of the settlement policy."""
        self.admin.put(f"/policies/merchant?merchant_id={MERCHANT}", values=values)

    async def forget_and_be_settled(self) -> None:
        """Nobody settles; the host says so after the cut-off, and ends it at the hour of its policy."""
        await self.sell_some()
        await self.until(1)
        self.tell_flag()
        await self.until(9)
        self.tell_last_batch()

    async def forget_and_apply(self) -> None:
        """The same without automatic settlement: the merchant hands in its slips, and a reviewer agrees."""
        self.policy(auto_settle="off")
        self.tell("the merchant has automatic settlement taken off")
        before = len(self.terminal.receipts)
        await self.sell_some()
        await self.days(2)
        self.tell_flag()
        vouchers = [{"slip": self.terminal.slip_of(sale)} for sale in self.terminal.receipts[before:]]
        path = f"/terminals/{FIRST}/settlement-applications"
        first = self.operator.post(path, vouchers=vouchers[:1], applicant="Zhang San")
        self.reviewer.post(f"{path}/{first['id']}/reject", why="a slip is missing")
        self.tell(f"application {first['id']} came with one slip of two and was rejected")
        self.operator.post(f"{path}/{first['id']}/resubmit", vouchers=vouchers, applicant="Zhang San")
        self.reviewer.post(f"{path}/{first['id']}/approve")
        self.tell(f"application {first['id']} came again with all slips and was approved")
        self.tell_last_batch()

    async def change_account(self) -> None:
        """First blocked for three reasons at once; then done, with test transactions."""
        path = f"/merchants/{MERCHANT}/settlement-account-changes"
        await self.sell_some()
        try:
            self.operator.post(path, account=account(MISTYPED_ACCOUNT, "308"), reason="a bank nearer by")
        except Refused as refused:
            blockers = [each for each in refused.problem["blockers"] if each["blocks"]]
            self.tell(f"a new account is applied for and refused for {len(blockers)} reasons:")
            for blocker in blockers:
                print(f"{'':18}{blocker['code']}: {blocker['text']}; {blocker['remedy']}")
        await self.until(20)
        await self.terminal.settle()
        await self.days(4)
        papers = self.hand_in("business_licence", "identity_document", "proof_of_account")
        change = self.reviewer.post(path, account=account(SECOND_ACCOUNT, "308"), documents=papers)
        one = f"{path}/{change['change_id']}"
        try:
            self.reviewer.post(f"{one}/approve")
        except Refused as refused:
            self.tell(f"who applied cannot approve: {refused.problem['detail']}")
        self.colleague.post(f"{one}/approve")
        self.operator.post(f"{one}/activate")
        self.tell("approved by somebody else and activated; the terminal takes it at its next sign-in")
        await self.terminal.sign_in()
        await self.sell_some()
        await self.until(20)
        await self.terminal.settle()
        await self.days(4)
        tests = self.operator.get(one)["tests"]
        done = self.operator.post(f"{one}/complete")
        self.tell(f"{tests['settled']} test transactions were paid to {done['account']['number']}: {done['state']}")

    async def change_holder(self) -> None:
        """Somebody else runs the shop: papers, review, notice, training, the effective day, the watch."""
        path = f"/merchants/{MERCHANT}/settlement-holder-changes"
        papers = self.hand_in("identity_document", "proof_of_position", "contract")
        effective = (self.now + timedelta(days=5)).date()
        change = self.operator.post(
            path,
            holder={"name": "Li Si", "identity": "110105194912310038"},
            reason="replaced",
            effective_on=effective.isoformat(),
            documents=papers,
        )
        one = f"{path}/{change['change_id']}"
        self.reviewer.post(f"{one}/approve")
        self.operator.post(f"{one}/confirm-training")
        self.tell(f"a new holder from {effective} on is approved; the one before has notice")
        await self.trade_until(9, 25)
        watched = self.operator.get(one)
        evaluated = self.reviewer.post(f"{one}/evaluate", evaluation="settlements go on as before")
        self.tell(f"{evaluated['holder']['name']} holds, was {watched['state']}, is evaluated: {evaluated['state']}")

    async def replace_terminal(self) -> None:
        """The terminal breaks with an unfinished batch; another takes its place."""
        await self.sell_some()
        await self.terminal.close()
        self.admin.post(f"/merchants/{MERCHANT}/terminals", terminal_id=SECOND)
        done = self.operator.post(f"/terminals/{FIRST}/replacement", new_terminal_id=SECOND, reason="fault")
        self.terminal = self.new_terminal(SECOND)
        await self.terminal.sign_in()
        batches = ", ".join(map(str, done["settled_batches"]))
        self.tell(
            f"{FIRST} is broken: the host settles its batch {batches}, {SECOND} goes on with {done['batch_number']}"
        )

    async def close(self) -> None:
        """The merchant gives up its shop: what is unfinished, the steps, and what a closed terminal is answered."""
        await self.sell_some()
        path = f"/merchants/{MERCHANT}/closure"
        begun = self.operator.post(path, merchant_id=MERCHANT, reason="merchant_request", licence="91310000MA1K3")
        self.tell(f"the merchant closes; unfinished: {', '.join(thing['kind'] for thing in begun['unfinished'])}")
        refused = await self.terminal.sell(CARDS[0], 100)
        self.tell(f"a purchase while closing is answered {refused.code}, a settlement is not refused")
        await self.until(20)
        await self.terminal.settle()
        await self.days(4)
        for step in ("unfinished_business", "final_settlement", "final_payout", "equipment_returned", "data_wiped"):
            closed = self.operator.post(f"{path}/steps/{step}")
        refused = await self.terminal.sell(CARDS[0], 100)
        self.tell(f"all steps are taken: {closed['state']}; a purchase is answered {refused.code}")
        await self.terminal.close()

    # -- what is shown

    def hand_in(self, *kinds: str) -> list[str]:
        """Papers handed in, by the hash that names them."""
        content = {kind: base64.b64encode(f"{kind} of {self.now:%Y-%m-%d}".encode()).decode() for kind in kinds}
        path = f"/merchants/{MERCHANT}/documents"
        kept = [
            self.operator.post(path, kind=kind, name=f"{kind}.txt", content_base64=text)
            for kind, text in content.items()
        ]
        return [paper["document_id"] for paper in kept]

    def tell_flag(self) -> None:
        """How the host sees the forgotten batch."""
        flagged = self.admin.get("/unsettled")["items"][0]
        flag, debit = flagged["unsettled"], flagged["batch"]["debit"]
        money = f"{debit['count']} sales of {amount(debit['amount_minor'])}"
        self.tell(f"nobody settled: {flag['severity']} because of {', '.join(flag['reasons'])}; {money} wait")

    def tell_last_batch(self) -> None:
        """How the forgotten batch ended."""
        closed = next(b for b in self.admin.get(f"/terminals/{FIRST}/batches")["items"] if b["state"] == "settled")
        self.tell(f"batch {closed['number']} is settled: {closed['result']}")

    def tell_money(self) -> None:
        """The year's money by month and account, from the payouts."""
        print(f"\n{'month':10}{'payouts':>9}{'captured':>14}{'fees':>12}{'net':>14}  to account")
        rows: dict[tuple[str, str], list[int]] = {}
        for payout in self.payouts():
            sums = rows.setdefault((payout["business_day"][:7], payout["account_id"] or payout["state"]), [0, 0, 0, 0])
            numbers = (1, payout["captured_minor"], payout["fees_minor"], payout["net_minor"])
            sums[:] = [total + more for total, more in zip(sums, numbers, strict=True)]
        for (month, account_id), (count, captured, fees, net) in sorted(rows.items()):
            print(f"{month:10}{count:>9}{amount(captured):>14}{amount(fees):>12}{amount(net):>14}  {account_id}")
        captured, fees, net = (sum(sums[place] for sums in rows.values()) for place in (1, 2, 3))
        print(f"{'year':10}{self.sold:>5} sales{amount(captured):>13}{amount(fees):>12}{amount(net):>14}")

    def payouts(self) -> Iterator[dict[str, Any]]:
        """Every payout of the merchant."""
        cursor: str | None = "0"
        while cursor is not None:
            page = self.admin.get(f"/payouts?merchant_id={MERCHANT}&limit=1000&cursor={cursor}")
            yield from page["items"]
            cursor = page["next_cursor"]


def account(number: str, bank: str) -> dict[str, str]:
    """A settlement account in the name of the first holder."""
    return {
        "number": number,
        "bank": bank,
        "account_type": "personal",
        "holder": "Zhang San",
        "holder_identity": "11010519491231002X",
    }


def amount(amount_minor: int) -> str:
    """An amount of the merchant's currency."""
    return show_amount(amount_minor, find_currency("156"))


def main() -> int:
    """The year, the money, and what verify says of both."""
    with tempfile.TemporaryDirectory(prefix="pos-host-year-") as folder:
        store = f"sqlite:///{folder}/year.db"
        options = [
            "--listen", "127.0.0.1:0=unionpay", "--store", store, "--http", "127.0.0.1:0", "--mqtt", "off",
            "--enrol", "strict", "--clock", f"manual:{NEW_YEAR.isoformat()}", "--log-level", "error",
        ]  # fmt: skip
        with running_host(Path(folder) / "ready.json", *options) as ready:
            year = Year(ready)
            asyncio.run(year.live())
            year.tell_money()
        return command("pos-host", "verify", "--store", store)


if __name__ == "__main__":
    raise SystemExit(main())
