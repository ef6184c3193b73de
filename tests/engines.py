"""An engine context and a measurement without a worker, for tests of one stream or of the fields of events."""

import socket
from typing import Any

from sseclient_cli.engine.connector import Connector
from sseclient_cli.engine.context import EngineContext
from sseclient_cli.engine.poller import Poller
from sseclient_cli.measure.field_choice import Choice
from sseclient_cli.measure.field_reader import KnownFields
from sseclient_cli.measure.measurement import Measurement
from sseclient_cli.measure.undecided_events import UndecidedEvents
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.sse.stream_format import StreamFormat


def engine_context(
    poller: Poller, port: int = 1, stream_format: StreamFormat = StreamFormat.SSE, **settings: Any
) -> EngineContext:
    address = Address(socket.AF_INET, ("127.0.0.1", port))
    target = Target(url="http://127.0.0.1:1/", stream_format=stream_format)
    return EngineContext(connector=Connector((ResolvedTarget(target, address),)), poller=poller, **settings)


def measurement_of(context: EngineContext, choice: Choice = Choice.AUTO, **settings: Any) -> Measurement:
    undecided = UndecidedEvents(KnownFields(choice, choice))
    return Measurement(clock=context.clock, poller=context.poller, undecided=undecided, **settings)
