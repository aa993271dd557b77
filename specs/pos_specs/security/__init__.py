"""Keys, MACs, PIN blocks, DUKPT, track and chip cryptography of the terminal protocols, over bytes.

No module here loads cryptography, psec or pyemv when it is imported: `ciphers`, `quiet_libraries` and `sealing` do so
at the first call, because a host that never meets a key must not pay for them at its start.
"""
