"""Bytes ↔ Message at the speed of the wire: functions generated per dialect and bitmap.

For each bitmap (reading) or set of elements (writing) seen twice, one straight-line Python function is
generated from the dialect. It raises nothing of its own: at the slightest doubt it returns None and
`reference.py` (pyiso8583) decides. This is the one place where code is generated, because with
pyiso8583 alone a purchase spent most of its time here.
"""

from __future__ import annotations

from collections.abc import Callable

from pos_specs import decoder_source, encoder_source
from pos_specs.bitmap import bitmap_bytes, bitmap_reader, elements_of
from pos_specs.dialect import Dialect
from pos_specs.errors import MessageError
from pos_specs.message import Message
from pos_specs.reference import ReferenceCodec

Decoder = Callable[[bytes], Message | None]
Encoder = Callable[[str, dict[int, str]], bytes | None]

GENERATED_KEPT = 256
"""Generated functions kept per dialect and direction. A real fleet uses a few dozen bitmaps; a peer that
sends random ones is left to pyiso8583 once the table is full."""

SEEN_KEPT = 4096
"""Bitmaps remembered as seen once. A function is generated only at second sight, so random bitmaps
(which hardly ever repeat) cost no generation."""


class Codec:
    """Reads and writes the messages of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.reference = ReferenceCodec(dialect)
        self._bitmap = bitmap_reader(dialect.wire)
        self._decoders: dict[bytes, Decoder] = {}
        self._encoders: dict[tuple[int, ...], Encoder] = {}
        self._seen: set[object] = set()

    def decode(self, data: bytes) -> Message:
        """The message in `data` (MTI onwards).

        Raises MessageError with element, offset and what was read before it.
        """
        bitmap = self._bitmap(data)
        decoder = self._decoders.get(bitmap) or self._new_decoder(bitmap)
        if decoder is not None:
            message = decoder(data)
            if message is not None:
                return message
        return self.reference.decode(data)

    def encode(self, message: Message) -> bytes:
        """The bytes of `message`, MTI onwards; raises MessageError naming the element that does not fit."""
        if message.pads is None:
            key = tuple(message.fields)
            encoder = self._encoders.get(key) or self._new_encoder(key)
            if encoder is not None:
                data = encoder(message.mti, message.fields)
                if data is not None:
                    return data
        return self.reference.encode(message)

    def source(self, elements: tuple[int, ...]) -> str:
        """The generated decoder and encoder for a message of these elements, for people to read."""
        return "\n".join((decoder_source.write(self.dialect, elements), encoder_source.write(self.dialect, elements)))

    def _new_decoder(self, bitmap: bytes) -> Decoder | None:
        if not self._second_sight(bitmap, len(self._decoders)):
            return None
        try:
            elements = elements_of(self.dialect.wire, bitmap)
        except MessageError:
            return None
        if any(number not in self.dialect.elements for number in elements):
            return None
        if len(bitmap) != bitmap_bytes(self.dialect.wire, elements):
            return None  # a second bitmap that is empty: too rare to generate for
        decoder = self._decoders[bitmap] = decoder_source.build(self.dialect, elements)
        return decoder

    def _new_encoder(self, elements: tuple[int, ...]) -> Encoder | None:
        if not self._second_sight(elements, len(self._encoders)):
            return None
        if any(number not in self.dialect.elements for number in elements) or not elements:
            return None
        encoder = self._encoders[elements] = encoder_source.build(self.dialect, elements)
        return encoder

    def _second_sight(self, key: object, generated: int) -> bool:
        if generated >= GENERATED_KEPT:
            return False
        if key in self._seen:
            return True
        if len(self._seen) < SEEN_KEPT:
            self._seen.add(key)
        return False
