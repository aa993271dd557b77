"""One pure function per function of the wire: (Request, Book, now) -> Decision."""
