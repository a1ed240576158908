"""A worker's side of the broker connection, for brokers that come and go."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

logger = logging.getLogger(__name__)

# Seconds between two tries to reach the broker. Celery's own grow to half a minute, so that a broker which is back
# would wait for its workers.
RETRY = 1.0


class PatientConsumer(Consumer):
    """Survives a broker that is lost, and finds it again within a second."""

    def on_connection_error_after_connected(self, error: Exception) -> None:
        """kombu 5.7 may fail to close a lost connection, with an AttributeError that would end the worker."""
        try:
            super().on_connection_error_after_connected(error)
        except AttributeError as fault:
            logger.warning("the lost connection to the broker could not be closed in order: %s", fault)
            self.connection = None

    def ensure_connected(self, connection: Any) -> Any:
        connection.ensure_connection = partial(connection.ensure_connection, interval_start=RETRY, interval_step=0)
        return super().ensure_connected(connection)
