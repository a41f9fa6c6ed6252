"""Home Assistant's discovery: what to publish so that hub and speakers show up there by themselves, and when.

Nothing here talks to a broker: every method returns at once, with the messages to publish (QoS 1, in this order; before
one with a `pause`, wait that many seconds). What the owner of the connection does:

    discovery = Discovery(DiscoveryOptions.of(config["home_assistant"]), base, version)

    on connecting     subscribe to `discovery.status_topic` and `discovery.config_filters`
                      each retained message on a config topic:  discovery.found(topic, payload)
                      2 s later unsubscribe `config_filters`, then publish  discovery.everything()
    hub, speakers     discovery.hub(HubFacts(…)) first, then discovery.speaker(SpeakerFacts(…)), whenever their facts
                      may have changed: what is published already comes back as an empty list. While there is no
                      connection the messages may be dropped, as `everything` has them again
    a removal         discovery.removed(speaker_id), before the speaker's own retained topics are emptied
    on `status_topic` seconds = discovery.on_status(payload); if not None: wait so long, publish discovery.everything()

`found` lets a hub that was restarted with the other form, or without a speaker it once had, tidy up what it left at the
broker. `everything` is right at any time. With `discovery: false` all that is left is taken away.
docs/home_assistant.md says what is published.
"""

from __future__ import annotations

from mynah_mqtt.home_assistant.config import SCHEMA, DiscoveryOptions
from mynah_mqtt.home_assistant.discovery import Discovery, Publish
from mynah_mqtt.home_assistant.facts import HubFacts, SpeakerFacts

__all__ = ["SCHEMA", "Discovery", "DiscoveryOptions", "HubFacts", "Publish", "SpeakerFacts"]
