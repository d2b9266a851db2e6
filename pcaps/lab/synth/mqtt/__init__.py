"""MQTT 3.1.1 and 5: `Broker` makes the lines of its clients' connections, `EdgeNode` their Sparkplug B payloads."""

from __future__ import annotations

from pcaps.lab.synth.mqtt import packets, sparkplug
from pcaps.lab.synth.mqtt.broker import Broker, Connection
from pcaps.lab.synth.mqtt.packets import PORT, TLS_PORT, Will
from pcaps.lab.synth.mqtt.sparkplug import EdgeNode

__all__ = ["PORT", "TLS_PORT", "Broker", "Connection", "EdgeNode", "Will", "packets", "sparkplug"]
