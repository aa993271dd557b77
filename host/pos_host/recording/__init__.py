"""Recordings: what went over the wire, with the card numbers of nobody; read from captures, written for Wireshark."""
