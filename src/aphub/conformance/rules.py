"""All rules of a delivery adapter, to be inherited by one test class for each adapter."""

from aphub.conformance.rules_delivery import DeliveryRules
from aphub.conformance.rules_failures import FailureRules
from aphub.conformance.rules_later import LaterRules
from aphub.conformance.rules_plugin import PluginRules
from aphub.conformance.rules_privacy import PrivacyRules
from aphub.conformance.rules_register import RegisterRules


class DeliveryAdapterRules(DeliveryRules, FailureRules, LaterRules, PrivacyRules, PluginRules):
    """The promises of an adapter.

    Inherit it, name the class, and give three fixtures:

        class TestWebhook(DeliveryAdapterRules):
            adapter_class = WebhookAdapter

            @pytest.fixture
            def far_side(self, respx_mock):
                return HttpFarSide(respx_mock, "https://school.example.org/marks")

            @pytest.fixture
            def connection(self):
                return WebhookConnection(url="https://school.example.org/marks", token=PLANTED_SECRET)

            @pytest.fixture
            def route(self):
                return WebhookRoute()

    One that `collects` gives a `later` fixture too, and one that `is_called` a `calls` fixture.

    A rule cannot be skipped: it is done, or `quality.toml` says why this adapter is exempt.
    """


class RegisterAdapterRules(DeliveryAdapterRules, RegisterRules):
    """The promises of an adapter that writes into a school's own register; its far side is a `RegisterFarSide`."""
