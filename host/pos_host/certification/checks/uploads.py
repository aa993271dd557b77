"""Batch uploads: whether all is there, each record once, as the host knows it, and how they end."""

from __future__ import annotations

from pos_host.certification.checks.check import Check
from pos_host.certification.checks.settlements import agree, explained
from pos_host.certification.observed import Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story, record_keys, totals_in, wants_upload

SETTLEMENT_DATA, NETWORK_CODE = 48, slice(8, 11)
"""DE48 of an upload's end in UnionPay; 60.3 within DE60."""


class _UploadEnd(Check):
    """Judged at the end of an upload that the host had asked for."""

    KINDS: tuple[str, ...] = ()

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._asked: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        if wants_upload(seen):
            self._asked = seen
        elif seen.function == "batch_upload_end" and self._asked is not None:
            asked, self._asked = self._asked, None
            self.judge(story, asked, seen)

    def judge(self, story: Story, asked: Observed, end: Observed) -> None:
        """Hold the upload against the host's books as its end has left them."""
        batch = story.batch_of(end)
        if batch is None:
            return
        found = [item for item in batch.discrepancies if item["kind"] in self.KINDS]
        if found:
            self.fail(f"STAN {found[0]['stan']}: {found[0]['kind'].replace('_', ' ')}", asked, end)
        else:
            self.pass_(f"{len(story.records)} records, compared with the host's", asked, end)


class UploadComplete(_UploadEnd):
    """Everything that the host has approved is uploaded."""

    KINDS = ("not_uploaded",)


class UploadRight(_UploadEnd):
    """Nothing is uploaded that the host does not know, nor with another amount."""

    KINDS = ("unknown_to_host", "amount_differs")


class UploadOnce(Check):
    """No record is uploaded twice, but one that was not answered."""

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function != "batch_upload":
            return
        twice = [key for key in record_keys(seen) if key in story.records]
        if twice:
            self.fail(f"the record of STAN {twice[0][1]} came twice", story.records[twice[0]], seen)
        else:
            self.pass_("records that had not come", seen)


class UploadResumed(Check):
    """An upload that lost an answer goes on, with that record or from the settlement on."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        opened = self._open
        if opened is not None:
            same = seen.function == "batch_upload" and record_keys(seen) == record_keys(opened)
            if same or seen.function == "settlement":
                self.pass_("the upload went on", opened, seen)
                self._open = None
            elif seen.is_trade or seen.function in ("batch_upload", "batch_upload_end"):
                self.fail(f"{seen.function} came, and the record without an answer not again", opened, seen)
                self._open = None
        if seen.function == "batch_upload" and seen.heard != "yes":
            self._open = seen


class UploadCount(Check):
    """The end of an upload says how many records there were (UnionPay)."""

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function != "batch_upload_end":
            return
        said, sent = seen.fields.get(SETTLEMENT_DATA, ""), len(story.records)
        if said == f"{sent:04d}":
            self.pass_(f"{said} records", seen)
        else:
            shown = said if len(said) == len("0001") and said.isdigit() else "no number of four digits"
            self.fail(f"element 48 says {shown}, {sent} records came", seen)


class UploadEndCode(Check):
    """The end of an upload says whether the batch was balanced: 60.3 is 207, or 202 (UnionPay)."""

    def see(self, story: Story, seen: Observed) -> None:
        settled = story.settlement
        if seen.function != "batch_upload_end" or settled is None:
            return
        wanted = "202" if wants_upload(settled) else "207"
        said = seen.fields.get(60, "")[NETWORK_CODE]
        if said == wanted:
            self.pass_(f"60.3 is {said}", settled, seen)
        else:
            self.fail(f"60.3 is {said} and should be {wanted}", settled, seen)


class TrailerTotals(Check):
    """The settlement trailer has the totals of what was approved (Hypercom)."""

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function != "batch_upload_end":
            return
        batch, sent = story.batch_of(seen), totals_in(seen)
        if batch is None or sent is None:
            return
        if agree(batch, sent):
            self.pass_("the trailer's totals are the host's", seen)
        elif not explained(story.declined, batch, sent):
            self.fail("the trailer's totals are not the host's", seen)


CHECKS: dict[str, type[Check]] = {
    "upload_complete": UploadComplete,
    "upload_right": UploadRight,
    "upload_once": UploadOnce,
    "upload_resumed": UploadResumed,
    "upload_count": UploadCount,
    "upload_end_code": UploadEndCode,
    "trailer_totals": TrailerTotals,
}
