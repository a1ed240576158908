"""A receiver of what is told about documents, and a quiet doorbell, as the tests of deliveries have them."""

from __future__ import annotations

from tests.deliveries.conftest import _no_flag_of_another_test, deliver, receiver, subscribe, window, workspace

__all__ = ["_no_flag_of_another_test", "deliver", "receiver", "subscribe", "window", "workspace"]
