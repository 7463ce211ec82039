"""The names of headers that DKIM signs by default: those of RFC 4871, and the same with a "+" (oversigning)."""

from __future__ import annotations

from typing import Final

SIGN_HEADERS: Final = (
    "From:Sender:Reply-To:Subject:Date:Message-ID:To:Cc:MIME-Version:Content-Type:Content-Transfer-Encoding:Content-ID:"
    "Content-Description:Resent-Date:Resent-From:Resent-Sender:Resent-To:Resent-Cc:Resent-Message-ID:In-Reply-To:"
    "References:List-Id:List-Help:List-Unsubscribe:List-Subscribe:List-Post:List-Owner:List-Archive"
)
OVERSIGN_HEADERS: Final = "+" + SIGN_HEADERS.replace(":", ":+")

MACROS: Final = {"_DKIM_OVERSIGN_HEADERS": OVERSIGN_HEADERS, "_DKIM_SIGN_HEADERS": SIGN_HEADERS}
