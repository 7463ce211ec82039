"""``openssl_options``: names of OpenSSL's options, switched on with ``+`` and off with ``-``."""

from __future__ import annotations

from typing import Final

# Values of the SSL_OP_... constants; what OpenSSL does not have any more is 0 and has no effect.
OPTIONS: Final = {
    "all": 0x80000850,
    "allow_client_renegotiation": 1 << 8,
    "allow_no_dhe_kex": 1 << 10,
    "allow_unsafe_legacy_renegotiation": 1 << 18,
    "cipher_server_preference": 1 << 22,
    "cookie_exchange": 1 << 13,
    "cryptopro_tlsext_bug": 1 << 31,
    "disable_tlsext_ca_names": 1 << 9,
    "dont_insert_empty_fragments": 1 << 11,
    "enable_ktls": 1 << 3,
    "enable_middlebox_compat": 1 << 20,
    "ephemeral_rsa": 0,
    "ignore_unexpected_eof": 1 << 7,
    "legacy_server_connect": 1 << 2,
    "microsoft_big_sslv3_buffer": 0,
    "microsoft_sess_id_bug": 0,
    "msie_sslv2_rsa_padding": 0,
    "netscape_challenge_bug": 0,
    "netscape_reuse_cipher_change_bug": 0,
    "no_anti_replay": 1 << 24,
    "no_compression": 1 << 17,
    "no_encrypt_then_mac": 1 << 19,
    "no_extended_master_secret": 1 << 0,
    "no_renegotiation": 1 << 30,
    "no_session_resumption_on_renegotiation": 1 << 16,
    "no_sslv2": 0,
    "no_sslv3": 1 << 25,
    "no_ticket": 1 << 14,
    "no_tlsv1": 1 << 26,
    "no_tlsv1_1": 1 << 28,
    "no_tlsv1_2": 1 << 27,
    "no_tlsv1_3": 1 << 29,
    "prioritize_chacha": 1 << 21,
    "safari_ecdhe_ecdsa_bug": 1 << 6,
    "single_dh_use": 0,
    "single_ecdh_use": 0,
    "ssleay_080_client_dh_bug": 0,
    "sslref2_reuse_cert_type_bug": 0,
    "tls_block_padding_bug": 0,
    "tls_d5_bug": 0,
    "tls_rollback_bug": 1 << 23,
    "tlsext_padding": 1 << 4,
}
DEFAULT: Final = OPTIONS["no_sslv3"] | OPTIONS["no_compression"] | OPTIONS["no_ticket"] | OPTIONS["no_renegotiation"]


def parse_options(text: str) -> int:
    """The bits that a setting leaves switched on, starting from what is on by default. Raises ValueError."""
    bits = DEFAULT
    for word in text.split():
        if word[0] not in "+-":
            raise ValueError(f"openssl_options parse error: expected + or - at {word}")
        value = OPTIONS.get(word[1:].lower())
        if value is None:
            raise ValueError(f"openssl_options error: unrecognised option {word}")
        bits = bits | value if word[0] == "+" else bits & ~value
    return bits
