from __future__ import annotations

from eximious.smtp.features import Features
from eximious.smtp.reply import Reply


def test_features() -> None:
    features = Features(
        Reply(
            250,
            ["mx.example Hello", "SIZE 1000", "pipelining", "AUTH PLAIN login", "AUTH=LOGIN CRAM-MD5",
             "LIMITS MAILMAX=10 RCPTMAX=x FOO", "8BITMIME", ""],
        )
    )  # fmt: skip
    assert features.greeting == "mx.example Hello"
    assert features.size_limit == 1000
    assert "PIPELINING" in features
    assert "CHUNKING" not in features
    assert features.auth_mechanisms == ["PLAIN", "LOGIN", "CRAM-MD5"]
    assert features.limit("MAILMAX") == 10
    assert features.limit("RCPTMAX") == 0
    assert features.limit("RCPTDOMAINMAX") == 0


def test_nothing_offered() -> None:
    for features in (Features(), Features(Reply(500, ["what?"])), Features(Reply(250, ["hello"]))):
        assert features.keywords == {}
        assert features.size_limit == 0
    assert Features(Reply(250, ["x", "SIZE " + "9" * 5000])).size_limit == 0
