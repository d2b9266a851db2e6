"""The detections: behaviour that no line of a policy is needed for, one a file, registered here."""

from __future__ import annotations

from typing import Final

from analyzers.detections.base import Detection
from analyzers.detections.g1 import Scan
from analyzers.detections.g2 import AddressFlipping
from analyzers.detections.g3 import Flood
from analyzers.detections.g4 import NewToolTransfer
from analyzers.detections.g5 import Beacon
from analyzers.detections.g6 import SecondServer
from analyzers.detections.g7 import IdentityChanged
from analyzers.detections.m1 import ModbusNewWriter
from analyzers.detections.m2 import ModbusNewClient
from analyzers.detections.m3 import ModbusUnusualValue
from analyzers.detections.m4 import ModbusOutputsForced
from analyzers.detections.m5 import ModbusRestart
from analyzers.detections.m6 import ModbusListenOnly
from analyzers.detections.m7 import ModbusIdentityRead
from analyzers.detections.m8 import ModbusProbing
from analyzers.detections.m9 import ModbusRegisterSweep
from analyzers.detections.m10 import ModbusExceptions
from analyzers.detections.m11 import ModbusMalformed
from analyzers.detections.m12 import ModbusProgramming
from analyzers.detections.m13 import ModbusUnaskedResponse
from analyzers.detections.m14 import ModbusUnanswered
from analyzers.detections.m15 import ModbusFrozenReadings
from analyzers.detections.o1 import OpcUaWithoutSecurity
from analyzers.detections.o2 import OpcUaClearPassword
from analyzers.detections.o3 import OpcUaAnonymousSession
from analyzers.detections.o4 import OpcUaRefusedLogins
from analyzers.detections.o5 import OpcUaDiscovery
from analyzers.detections.o6 import OpcUaBrowsing
from analyzers.detections.o7 import OpcUaNewWrite
from analyzers.detections.o8 import OpcUaNewCall
from analyzers.detections.o9 import OpcUaAlarmOff
from analyzers.detections.o10 import OpcUaNodesChanged
from analyzers.detections.o11 import OpcUaTrustChanged
from analyzers.detections.q1 import MqttClearPassword
from analyzers.detections.q2 import MqttWideSubscription
from analyzers.detections.q3 import MqttNewCommander
from analyzers.detections.q4 import MqttRetainedMessageChanged
from analyzers.detections.q5 import MqttClientIdTwice
from analyzers.detections.q6 import MqttRefusedLogins
from analyzers.detections.q7 import SparkplugOutOfOrder

DETECTIONS: Final[tuple[type[Detection], ...]] = (
    ModbusNewWriter,
    ModbusNewClient,
    ModbusUnusualValue,
    ModbusOutputsForced,
    ModbusRestart,
    ModbusListenOnly,
    ModbusIdentityRead,
    ModbusProbing,
    ModbusRegisterSweep,
    ModbusExceptions,
    ModbusMalformed,
    ModbusProgramming,
    ModbusUnaskedResponse,
    ModbusUnanswered,
    ModbusFrozenReadings,
    OpcUaWithoutSecurity,
    OpcUaClearPassword,
    OpcUaAnonymousSession,
    OpcUaRefusedLogins,
    OpcUaDiscovery,
    OpcUaBrowsing,
    OpcUaNewWrite,
    OpcUaNewCall,
    OpcUaAlarmOff,
    OpcUaNodesChanged,
    OpcUaTrustChanged,
    MqttClearPassword,
    MqttWideSubscription,
    MqttNewCommander,
    MqttRetainedMessageChanged,
    MqttClientIdTwice,
    MqttRefusedLogins,
    SparkplugOutOfOrder,
    Scan,
    AddressFlipping,
    Flood,
    NewToolTransfer,
    Beacon,
    SecondServer,
    IdentityChanged,
)
