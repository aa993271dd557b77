"""Uses everything of pos_specs.security once; run by test_silence with every warning an error."""

from pos_specs.security import dukpt_aes, dukpt_tdes, emv, hypercom_keys, mac, pin_block, sealing, track_cipher
from pos_specs.security.cryptogram_version import VERSIONS
from pos_specs.security.key_file import load_key_file
from pos_specs.security.unionpay_keys import SCHEMES, build_key_block, cut_working_keys, read_key_block

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
ISSUER_DATA = "0115A500030200000000000000123400FF00"
TAGS = {
    "9F02": "000000004000", "9F03": "000000000000", "9F1A": "0156", "95": "8000048000", "5F2A": "0156", "9A": "261122",
    "9C": "00", "9F37": "52BF4585", "82": "1800", "9F36": "001C", "9F26": "0011223344556677", "9F10": ISSUER_DATA,
}  # fmt: skip


def main() -> None:
    for scheme in SCHEMES.values():
        keys = cut_working_keys(scheme, bytes(range(scheme.material_bytes)))
        read_key_block(KEY, build_key_block(KEY, keys), keys.algorithm)
        if scheme.pin_bytes == 8:
            hypercom_keys.read_logon(KEY, hypercom_keys.build_logon(KEY, keys))
    for name in mac.ALGORITHMS:
        mac.make_mac(name, KEY, b"0200")
    for pin_format in ("iso-0", "no-pan", "iso-1", "iso-2", "iso-3", "iso-4"):
        block = pin_block.encrypt_pin(pin_format, KEY, "1234", "6222021234567890", bytes(8))
        pin_block.decrypt_pin(pin_format, KEY, block, "6222021234567890")
    dukpt_tdes.host_session_keys(KEY, bytes.fromhex("FFFF9876543210E00001"))
    dukpt_aes.host_session_keys(KEY, bytes.fromhex("123456789012345600000001"))
    track_cipher.decrypt_track(KEY, track_cipher.encrypt_track(KEY, "6222021234567890=25121010000"))
    issuer = load_key_file().issuer_key("6222021234567890")
    assert issuer is not None
    for version in VERSIONS.values():
        emv.make_cryptogram(version, issuer, emv.ChipData("6222021234567890123", TAGS))
        emv.issuer_authentication(version, issuer, emv.ChipData("6222021234567890123", TAGS))
    sealing.unseal(KEY * 2, sealing.seal(KEY * 2, KEY, bytes(12), "T1"), "T1")


if __name__ == "__main__":
    main()
