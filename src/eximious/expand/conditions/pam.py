"""``pam``: ask the system's authentication modules."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from eximious.errors import ExpandError
from eximious.expand.condition import condition
from eximious.lists.split import split
from eximious.waiting import in_thread

if TYPE_CHECKING:
    import ctypes

SERVICE: Final = b"exim"
SUCCESS: Final = 0
CONVERSATION_ERROR: Final = 19
# Results that mean "no" rather than "something is wrong" (security/_pam_types.h).
REFUSALS: Final = frozenset({7, 10, 13, 8, 11, 12})
PROMPTS: Final = (1, 2)  # PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON

_lock = threading.Lock()


@condition("pam", 1)
def pam(text: str) -> bool:
    """The user, the first item of the list, is accepted with the other items as answers to what the modules ask."""
    fields = split(text)
    if not fields or not fields[0]:
        return False
    return in_thread(_authenticate, fields[0].encode("latin-1"), [field.encode("latin-1") for field in fields[1:]])


def _authenticate(user: bytes, answers: list[bytes]) -> bool:
    import ctypes

    library = _library()
    waiting = list(answers)
    keep: list[Any] = []  # what C still refers to

    class Message(ctypes.Structure):
        _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]

    class Response(ctypes.Structure):
        _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]

    kind = ctypes.CFUNCTYPE(
        ctypes.c_int,
        ctypes.c_int,
        ctypes.POINTER(ctypes.POINTER(Message)),
        ctypes.POINTER(ctypes.POINTER(Response)),
        ctypes.c_void_p,
    )

    class Conversation(ctypes.Structure):
        _fields_ = [("function", kind), ("data", ctypes.c_void_p)]

    libc = ctypes.CDLL(None)
    libc.calloc.restype = ctypes.c_void_p
    libc.strdup.restype = ctypes.c_void_p

    def converse(count: int, messages: Any, responses: Any, data: Any) -> int:
        """Give the next answer to each question; the memory belongs to the modules afterwards."""
        memory = libc.calloc(count, ctypes.sizeof(Response))
        array = ctypes.cast(memory, ctypes.POINTER(Response))
        for index in range(count):
            if messages[index].contents.style in PROMPTS:
                if not waiting:
                    return CONVERSATION_ERROR
                array[index].text = libc.strdup(waiting.pop(0))
        responses[0] = array
        return SUCCESS

    conversation = Conversation(kind(converse), None)
    keep.append(conversation)
    handle = ctypes.c_void_p()
    with _lock:
        status = library.pam_start(SERVICE, user, ctypes.byref(conversation), ctypes.byref(handle))
        if status == SUCCESS:
            status = library.pam_authenticate(handle, 0x8000)  # PAM_SILENT
        if status == SUCCESS:
            status = library.pam_acct_mgmt(handle, 0x8000)
        library.pam_end(handle, status)
    return _judge(status)


def _judge(status: int) -> bool:
    if status == SUCCESS:
        return True
    if status in REFUSALS:
        return False
    raise ExpandError(f"PAM error {status}")


def _library() -> ctypes.CDLL:
    import ctypes
    import ctypes.util

    try:
        return ctypes.CDLL(ctypes.util.find_library("pam") or "libpam.so.0")
    except OSError as error:
        raise ExpandError(f'support for "pam" is missing: {error}') from None
