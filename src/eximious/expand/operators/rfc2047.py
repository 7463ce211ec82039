"""Encoded words in headers (RFC 2047)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.errors import ExpandError
from eximious.expand.operator import operator
from eximious.mime import encoded_words
from eximious.mime.charset import UnknownCharset
from eximious.mime.encoded_words import encode

if TYPE_CHECKING:
    from eximious.context import Context

__all__ = ["decode", "decode_words", "encode"]


def headers_charset(context: Context) -> str:
    """The character set of texts from headers: what a filter says (``headers charset``), or the configuration."""
    return context.facts.get("headers_charset") or context.config.main.headers_charset or "UTF-8"


def decode_words(text: str, context: Context, *, converts: bool = True) -> str:
    """The text with its encoded words decoded, perhaps converted."""
    return decode(text, headers_charset(context) if converts else "", context.config.main.check_rfc2047_length)


def decode(text: str, charset: str, check_length: bool) -> str:
    """As `eximious.mime.encoded_words.decode`; raises ExpandError for a character set that is not known."""
    try:
        return encoded_words.decode(text, charset, check_length)
    except UnknownCharset as error:
        raise ExpandError(
            f'iconv_open("{error.target}", "{error.source}") failed: Invalid argument (maybe unsupported conversion)'
        ) from None


@operator("rfc2047d")
def rfc2047d(context: Context, text: str) -> str:
    """Encoded words decoded."""
    return decode_words(text, context) if "=?" in text else text


@operator("rfc2047")
def rfc2047(context: Context, text: str) -> str:
    """The text as encoded words, if it cannot stand as it is."""
    return encode(text, headers_charset(context))
