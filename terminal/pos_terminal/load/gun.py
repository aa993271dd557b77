"""One terminal of a load: its connection, and the one purchase it fires over and over with a new STAN.

The purchase is encoded once. For each shot only the bytes of the STAN change, in place. The first answer is
read in full; it shows where STAN and response code stand in those that follow, which are then compared as
bytes. An answer of another length is read in full again.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from pos_specs.errors import MessageError
from pos_specs.framing import Framer
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.security.message_mac import MAC_BYTES, message_mac
from pos_terminal.client import frame_of

_NEXT_BCD = [0] * 256
for _value in range(100):
    _NEXT_BCD[int(f"{_value:02d}", 16)] = int(f"{(_value + 1) % 100:02d}", 16)
_NEXT_ASCII = [0] * 256
for _value in range(10):
    _NEXT_ASCII[0x30 + _value] = 0x30 + (_value + 1) % 10


class CannotFire(ValueError):
    """The dialect's frames cannot be changed in place."""


class Gun:
    """A terminal's connection with its loaded frame.

    `sent_ns` is when the shot in flight was fired (or was due); 0 when none is. `frame` holds the current
    STAN in the bytes `stan_at` to `stan_end`. In an answer of `answer_bytes`, STAN and code stand at
    `answer_stan_at` and `answer_code_at`; `code` is what an approval (`approval`, its response code) has there. With
    `mac_key` each shot is signed: the MAC is the last element of the message in `mac_from` to `mac_to`.
    """

    __slots__ = (
        "amount_at",
        "amount_end",
        "answer_bytes",
        "answer_code_at",
        "answer_stan_at",
        "approval",
        "code",
        "echo",
        "fd",
        "frame",
        "framer",
        "language",
        "mac_from",
        "mac_key",
        "mac_to",
        "next_value",
        "recv",
        "send",
        "sent_ns",
        "sock",
        "stan_at",
        "stan_end",
        "zero",
    )

    def __init__(
        self, sock: socket.socket, language: Language, purchase: Message, *, echo: bool, mac_key: bytes = b""
    ) -> None:
        """Raises CannotFire for a framing whose frames do not allow it."""
        if language.dialect.framing.trailer == "etx-lrc":
            raise CannotFire(
                f"{language.name}: a load changes the STAN in place, and the LRC of its frames would be wrong"
            )
        self.sock = sock
        self.fd = sock.fileno()
        self.recv, self.send = _receiver(sock), sock.send
        self.language = language
        self.framer = Framer(language.dialect.framing)
        self.echo = echo
        self.frame = bytearray(frame_of(language, purchase))
        self.stan_at, self.stan_end = _place(language, purchase, 11)
        self.amount_at, self.amount_end = _place(language, purchase, 4)
        bcd = language.dialect.wire.digits == "bcd"
        self.next_value = _NEXT_BCD if bcd else _NEXT_ASCII
        self.zero = 0 if bcd else 0x30
        self.mac_key = mac_key
        self.mac_from = language.dialect.framing.envelope.lead_bytes + language.dialect.framing.envelope.head_bytes
        self.mac_to = len(self.frame) - language.dialect.framing.envelope.trail_bytes
        self.sent_ns = 0
        self.answer_bytes = self.answer_stan_at = self.answer_code_at = 0
        self.approval = language.dialect.outcomes["approved"]
        self.code = b""
        if echo:
            self._expect_echo()

    def _expect_echo(self) -> None:
        """An echo server answers with the same bytes; where a code would stand, its own bytes are compared."""
        self.answer_bytes = len(self.frame)
        self.answer_stan_at = self.stan_at
        self.answer_code_at, self.code = 0, bytes(self.frame[:2])

    def next_stan(self) -> None:
        """Count the STAN up in the frame; after 999999 comes 000001 with another amount.

        The host would take a STAN used again with the same amount and card for a repeat.
        """
        if self._count_up(self.stan_at, self.stan_end):
            self.frame[self.stan_end - 1] += 1
            self._count_up(self.amount_at, self.amount_end)
        if self.mac_key:
            self.sign()

    def sign(self) -> None:
        """Put the right MAC behind the message whose STAN has changed; it is the last element, eight bytes of it."""
        security, end = self.language.dialect.security, self.mac_to - MAC_BYTES
        self.frame[end : self.mac_to] = message_mac(security.mac, self.mac_key, bytes(self.frame[self.mac_from : end]))

    def carry(self) -> None:
        """Finish a count whose last byte has just gone round to zero."""
        if self._count_up(self.stan_at, self.stan_end - 1):
            self.frame[self.stan_end - 1] += 1
            self._count_up(self.amount_at, self.amount_end)

    def _count_up(self, start: int, end: int) -> bool:
        """Add one to the digits in frame[start:end]; True when they went round to zero."""
        frame, next_value, zero = self.frame, self.next_value, self.zero
        for place in range(end - 1, start - 1, -1):
            frame[place] = next_value[frame[place]]
            if frame[place] != zero:
                return False
        return True

    def read_in_full(self, data: bytes) -> list[str | None]:
        """The codes of the answers that `data` completes; None for one that does not belong to the shot."""
        codes: list[str | None] = []
        for frame in self.framer.receive_data(data):
            if self.echo:
                codes.append("echo" if frame.body in self.frame else None)
                continue
            try:
                answer = self.language.decode(frame.body)
            except MessageError:
                codes.append(None)
                continue
            whole = self.framer.waiting == 0 and len(codes) == 0
            codes.append(self._judge(answer, data if whole else b""))
        return codes

    def _judge(self, answer: Message, data: bytes) -> str | None:
        sent = self.language.decode(self.body_of(self.frame)).fields
        if answer.fields.get(11) != sent[11] or answer.fields.get(41) != sent[41]:
            return None
        code = answer.fields.get(39)
        if code == self.approval and data:
            self._learn(answer, data)
        return code

    def body_of(self, frame: bytes | bytearray) -> bytes:
        """A whole frame without its length, TPDU, header and trailer."""
        envelope = self.language.dialect.framing.envelope
        return bytes(frame[envelope.lead_bytes + envelope.head_bytes : len(frame) - envelope.trail_bytes])

    def _learn(self, answer: Message, data: bytes) -> None:
        """Note where STAN and code stand, if writing the answer again gives the bytes that came."""
        body = self.language.encode(answer)
        at = len(data) - self.language.dialect.framing.envelope.trail_bytes - len(body)
        if at < 0 or data[at : at + len(body)] != body:
            return
        stan_at, _ = _place_in_body(self.language, answer, 11)
        code_at, code_end = _place_in_body(self.language, answer, 39)
        self.answer_bytes = len(data)
        self.answer_stan_at, self.answer_code_at = at + stan_at, at + code_at
        self.code = data[at + code_at : at + code_end]


def _receiver(sock: socket.socket) -> Callable[[int], bytes]:
    """How bytes are received: of TLS a whole record, since the poller knows nothing of what is left of one."""
    if not isinstance(sock, ssl.SSLSocket):
        return sock.recv

    def receive(size: int) -> bytes:
        try:
            data = sock.recv(size)
            return data + sock.recv(left) if (left := sock.pending()) else data
        except ssl.SSLWantReadError:  # TLS spoke to itself: a session ticket
            raise BlockingIOError from None

    return receive


def _place(language: Language, message: Message, number: int) -> tuple[int, int]:
    """Where the digits of an element stand in the frame of `message`: found by writing others there."""
    low, high = _variants(message, number)
    return _difference(frame_of(language, low), frame_of(language, high))


def _place_in_body(language: Language, message: Message, number: int) -> tuple[int, int]:
    low, high = _variants(message, number)
    return _difference(language.encode(low), language.encode(high))


def _variants(message: Message, number: int) -> tuple[Message, Message]:
    """Two messages whose element differs in every digit."""
    length = len(message.fields[number])
    low = Message(message.mti, {**message.fields, number: "0" * length}, message.pads)
    high = Message(message.mti, {**message.fields, number: "9" * length}, message.pads)
    return low, high


def _difference(low: bytes, high: bytes) -> tuple[int, int]:
    places = [place for place, (a, b) in enumerate(zip(low, high, strict=True)) if a != b]
    return places[0], places[-1] + 1
