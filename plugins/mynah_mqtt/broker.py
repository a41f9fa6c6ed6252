"""The embedded broker: amqtt's, behind rules of who may do what, and with bounds where it has none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from amqtt.broker import Broker, RetainedApplicationMessage
from amqtt.contexts import Action, BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import AMQTTError, MQTTError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import ApplicationMessage, OutgoingApplicationMessage, Session

from mynah_mqtt.accounts import Account
from mynah_mqtt.said import Said
from mynah_mqtt.streams import Outbound
from mynah_mqtt.topics import Topics

if TYPE_CHECKING:
    from _collections_abc import dict_items

log = logging.getLogger(__name__)

LISTENER: Final = "gate"
ACCOUNT: Final = "mynah.account"
"""Under which name a session carries its account."""

SERVED: Final = "mynah.served"
"""Under which name a session carries the connection on which all that waited for it was sent."""

KEPT: Final = 100
"""Messages of QoS 1 that wait for a client that is away; the oldest go first."""

RETAINED: Final = 20_000
"""Topics whose last message is kept."""

UNACKNOWLEDGED: Final = 500
"""Messages on their way to one client; of more, none is sent."""

EXPIRY_S: Final = 86_400
"""How long a session waits for its client."""

BACKLOG: Final = 1_000
NEVER_S: Final = 10**7
"""amqtt stops in the middle of a packet after a keep-alive, and then does nothing about it; the gate does."""


class Doors:
    """Which account each client came in with; filled by the gate before the broker hears of a client."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}


class Admission(BaseAuthPlugin):
    """Lets in whom the gate let in, and ties the account to the session."""

    @dataclass
    class Config:
        """What the rules need."""

        doors: Any

    async def authenticate(self, *, session: Session) -> bool | None:
        """Return whether the gate knows the client."""
        account = self.config.doors.accounts.pop(session.client_id, None)
        session.attributes[ACCOUNT] = account
        return account is not None


class Rules(BaseTopicPlugin):
    """Who may read and write what: decision 11 of docs/mqtt.md."""

    @dataclass
    class Config:
        """What the rules need."""

        topics: Any
        said: Any

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        """Return whether a client may do `action` on `topic`; what it may not write is logged."""
        account = session.attributes.get(ACCOUNT) if session is not None else None
        if not isinstance(account, Account) or topic is None:
            return False
        topics: Topics = self.config.topics
        allowed = (account.writes if action is Action.PUBLISH else account.reads)(topics, topic)
        who = account.id or account.role
        if not allowed and action is not Action.RECEIVE and not self.config.said.lately(f"{who} {action}"):
            log.warning("%s may not %s %s", who, action, ascii(topic[:200]))
        return allowed


class Snapshots(dict[str, list[tuple[Session, int]]]):
    """Subscriptions by filter, iterated as they were: amqtt awaits while it goes through them, and they change."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().keys()))

    def items(self) -> dict_items[str, list[tuple[Session, int]]]:
        """Return a copy's items, lists copied too."""
        return {name: list(each) for name, each in super().items()}.items()


class Courier:
    """Sends to one client, and keeps for it what it did not acknowledge."""

    def __init__(self, broker: HubBroker, session: Session, handler: BrokerProtocolHandler) -> None:
        self._broker = broker
        self._session = session
        self._handler = handler
        self._served = session.attributes.get(SERVED) is handler

    async def mqtt_publish(
        self, topic: str, data: bytes | bytearray, qos: int | None, retain: bool
    ) -> OutgoingApplicationMessage | None:
        """Send one message, behind what waits already; with QoS 1 wait for its acknowledgement, a few seconds."""
        if qos and not retain and not self._served:
            self._broker.keep(self._session, RetainedApplicationMessage(None, topic, data, qos), None)
            return None
        number = self._session.next_packet_id if qos else None
        return await self.send(OutgoingApplicationMessage(number, topic, qos, data, retain))

    async def send(self, message: OutgoingApplicationMessage) -> OutgoingApplicationMessage | None:
        """Send a message, marked as one that came before if it was sent already."""
        try:
            if message.qos and self._ended():
                raise ConnectionError("its connection has ended")
            await self._handler._handle_message_flow(message)  # noqa: SLF001  # all that `mqtt_publish` does besides
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not this task was cancelled but amqtt's waiter, because the connection ended.
        except (AMQTTError, MQTTError, TimeoutError, OSError) as error:
            log.debug("%s did not take a message on %s: %s", self._session.client_id, message.topic, error)
        else:
            return message
        if message.qos and not message.retain and message.puback_packet is None:
            self._broker.keep(self._session, message, self._handler)
        return None

    def _ended(self) -> bool:
        """Whether nothing can be sent any more, though the session is not over yet."""
        return isinstance(self._handler.writer, Outbound) and self._handler.writer.closing


def _age(session: Session, message: ApplicationMessage) -> int:
    """Where a message stands among those that wait: what was sent already, by its number, which is one of 65,535."""
    if isinstance(message, OutgoingApplicationMessage):
        return ((message.packet_id or 0) - session._packet_id - 1) % 65_536  # noqa: SLF001  # the newest number
    return 65_536


class HubBroker(Broker):
    """amqtt's broker. Clients come in by `external_connected`, from the gate.

    What is overridden is amqtt 0.12's: it gives each client that connects the retained messages of everybody's
    subscriptions, marks queued commands as retained, forgets what was not acknowledged, lets
    what comes while a client connects overtake what waited for it, and has no bounds.
    """

    def __init__(self, topics: Topics, doors: Doors) -> None:
        here = f"{__name__}."
        config = BrokerConfig(
            listeners={"default": ListenerConfig(), LISTENER: ListenerConfig(ListenerType.EXTERNAL, "gate")},
            session_expiry_interval=EXPIRY_S,
            timeout_disconnect_delay=NEVER_S,
            plugins={here + "Admission": {"doors": doors}, here + "Rules": {"topics": topics, "said": Said()}},
        )
        config.listeners["default"].bind = None
        super().__init__(config)
        self._subscriptions = Snapshots()
        self._topics = topics
        self._sendings: set[asyncio.Future[Any]] = set()

    @property
    def busy(self) -> bool:
        """Whether more waits to be sent on than should."""
        return self._broadcast_queue.qsize() > BACKLOG

    def is_behind(self, client_id: str) -> bool:
        """Whether more waits of what this client sent than should."""
        session = self.sessions.get(client_id, (None, None))[0]
        return session is not None and session.delivered_message_queue.qsize() > KEPT

    async def hang_up(self, client_id: str) -> None:
        """Tell amqtt that a connection has ended: it misses an end that comes while it begins."""
        handler = self.sessions.get(client_id, (None, None))[1]
        if handler is not None:
            await handler.handle_connection_closed()

    def left(self, client_id: str) -> None:
        """Note that a client's connection is over, however it ended."""
        session = self.sessions.get(client_id, (None, None))[0]
        if session is not None and session.transitions.state == "connected":
            session.transitions.disconnect()

    def keep(
        self,
        session: Session,
        message: ApplicationMessage,
        failed: BrokerProtocolHandler | None,
    ) -> None:
        """Keep a message for a client that is away, or is back on another connection than the one that `failed`."""
        known, handler = self.sessions.get(session.client_id or "", (None, None))
        if known is not session or (session.clean_session and failed is not None):
            return
        queue = session.retained_messages
        waiting = [*(queue.get_nowait() for _ in range(queue.qsize())), message]
        for each in sorted(waiting, key=lambda each: _age(session, each))[-KEPT:]:
            queue.put_nowait(each)
        is_there = handler is not None and session.transitions.state == "connected"
        if is_there and handler is not failed and session.attributes.get(SERVED) is handler:
            self._serve(session)

    async def retain_message(
        self,
        source_session: Session | None,
        topic_name: str | None,
        data: bytes | bytearray | None,
        qos: int | None = None,
    ) -> None:
        """Keep the last message of a topic, where that makes sense: commands and events are not kept."""
        if topic_name is None or not self._topics.may_be_retained(topic_name):
            return
        if len(self.retained_messages) >= RETAINED and topic_name not in self.retained_messages:
            log.warning("%d topics are retained; that of %s is not", RETAINED, ascii(topic_name[:200]))
            return
        await super().retain_message(source_session, topic_name, data, qos)

    async def _retain_broadcast_message(self, broadcast: dict[str, Any], qos: int, target_session: Session) -> None:
        while target_session.retained_messages.qsize() >= KEPT:
            target_session.retained_messages.get_nowait()
        await super()._retain_broadcast_message(broadcast, qos, target_session)

    async def _publish_session_retained_messages(self, session: Session) -> None:
        session.attributes[SERVED] = self.sessions.get(session.client_id or "", (None, None))[1]
        if tasks := self._serve(session):
            await asyncio.wait(tasks)

    def _serve(self, session: Session) -> list[asyncio.Future[Any]]:
        """Send all that waits for a client, in its order and before anything that comes later."""
        handler = self._get_handler(session)
        tasks: list[asyncio.Future[Any]] = []
        while handler is not None and not session.retained_messages.empty():
            kept = session.retained_messages.get_nowait()
            if isinstance(kept, OutgoingApplicationMessage):
                sending = handler.send(kept)
            else:
                sending = handler.mqtt_publish(kept.topic, kept.data, kept.qos, retain=False)
            tasks.append(asyncio.ensure_future(sending))
        self._sendings.update(tasks)
        for task in tasks:
            task.add_done_callback(self._sendings.discard)
        return tasks

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        if any(each is session for each, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _handle_message_delivery(
        self, client_session: Session, handler: BrokerProtocolHandler, wait_deliver: asyncio.Future[Any]
    ) -> bool:
        if not await super()._handle_message_delivery(client_session, handler, wait_deliver):
            # amqtt would leave the connection open and listen no more.
            await handler.handle_connection_closed()
        return True

    def _get_handler(self, session: Session) -> Courier | None:  # type: ignore[override]  # of which only this is used
        handler = super()._get_handler(session)
        if handler is None or session.inflight_out_count > UNACKNOWLEDGED:
            return None
        return Courier(self, session, handler)
