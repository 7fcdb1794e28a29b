"""A mail server inside a private network is not connected to, unless the operator listed that network."""

from datetime import UTC, datetime

import pytest

from aphub.api import Reach, RefusedDeliveryError, Tools
from aphub.testing import sample_tools
from aphub_email import EmailAdapter, EmailConnection, EmailRoute


@pytest.mark.parametrize("listed", [(), ("10.0.0.0/8",)])
def test_a_private_address_that_nobody_listed_is_refused_before_anything_is_said(listed):
    connection = EmailConnection(host="127.0.0.1", from_address="attendance@riverside.example.org")
    now = datetime(2026, 3, 3, 9, 40, tzinfo=UTC)
    tools = Tools(http=sample_tools().http, now=lambda: now, reach=Reach.to(*listed))
    adapter = EmailAdapter(connection, tools)
    with pytest.raises(RefusedDeliveryError, match=r"127\.0\.0\.1") as caught:
        adapter.open()
    assert "private_networks" in caught.value.what_now
    route = EmailRoute(address="office@hill.example.org")
    [step] = list(adapter.check(route))
    assert not step.ok
    assert "private_networks" in step.mend
