"""Calls that a template describes: an address in the request, a signature, and their words as ours."""

import hashlib
import hmac
import json
import tomllib

import pytest
from pydantic import SecretStr, ValidationError

from aphub.api import Call, Called, CallState
from aphub.testing import SAMPLE_NOW, invented_upn, sample_row, sample_tools
from aphub_rest import RestAdapter, RestConnection
from aphub_rest.settings import shipped
from aphub_rest.template import Template

EXAMPLE = tomllib.loads(shipped()["example-mis"].read_text())
SECRET = "s1gned"
CALLED = {
    "callback": {
        "reference": "job",
        "word": "state",
        "words": {"done": "confirmed", "failed": "failed"},
        "signature": "X-Signature",
        "prefix": "sha256=",
    },
    "write": EXAMPLE["write"] | {"body": EXAMPLE["write"]["body"] | {"tell": "{callback}"}},
}


class Addresses:
    """Gives one address, and says nothing."""

    on = True

    def address(self, _delivery):
        return "https://hub.example.org/callbacks/riverbank/t0ken"

    def said(self, _delivery):
        return ()


@pytest.fixture
def adapter():
    connection = RestConnection(
        base_url="https://mis.example.org",
        template="example-mis",
        secret=SecretStr("x"),
        callback_secret=SecretStr(SECRET),
    )
    connection._template = Template.model_validate(EXAMPLE | CALLED)
    return RestAdapter(connection, sample_tools())


def call(body, secret=SECRET, header="x-signature", prefix="sha256="):
    signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", header: f"{prefix}{signed}"}
    return Call({}, headers, body, SAMPLE_NOW)


@pytest.mark.parametrize(
    ("word", "state"), [("done", CallState.DONE), ("failed", CallState.FAILED), ("new", CallState.OPEN)]
)
def test_a_signed_call_is_heard_in_their_words(adapter, word, state):
    body = json.dumps({"job": "j-1", "state": word}).encode()
    assert adapter.hear(call(body)) == Called("j-1", state, word)


def test_a_call_that_is_not_signed_as_agreed_is_nobodys(adapter):
    body = b'{"job": "j-1", "state": "done"}'
    assert adapter.hear(call(body, secret="another")) is None
    assert adapter.hear(call(body, prefix="")) is None
    assert adapter.hear(call(body, header="x-other")) is None
    good = call(body)
    assert adapter.hear(Call({}, good.headers, body.replace(b"j-1", b"j-2"), SAMPLE_NOW)) is None


def test_the_address_stands_in_the_request_and_only_where_there_is_one(stand_in, connect, make):
    sent = []
    for tools in (sample_tools(), sample_tools()):
        callbacks = Addresses() if sent else tools.callbacks
        lent = type(tools)(http=tools.http, now=tools.now, reach=tools.reach, callbacks=callbacks)
        with stand_in:
            connection = connect(stand_in.url, callback_secret=SecretStr(SECRET))
            connection._template = Template.model_validate(EXAMPLE | CALLED)
            adapter = RestAdapter(connection, lent)
            adapter.deliver(make(sample_row(invented_upn(len(sent) + 1))))
            adapter.close()
            posts = [one.body for one in stand_in.requests if one.path.endswith("/marks") and one.writes]
            sent.append(json.loads(posts[-1]).get("tell"))
    assert sent == [None, Addresses().address(None)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"write": EXAMPLE["write"]}, "belong together"),
        ({"callback": None}, "belong together"),
        ({"write": CALLED["write"] | {"reference": ""}}, "needs write.reference"),
    ],
)
def test_a_callback_that_is_half_described_is_refused(change, words):
    with pytest.raises(ValidationError, match=words):
        Template.model_validate(EXAMPLE | CALLED | change)
