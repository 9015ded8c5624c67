"""Salesforce outbound messages: SOAP 1.1 notifications, and the acknowledgement Salesforce waits for.

Source: Salesforce SOAP API developer guide, "Outbound Messaging" (namespace 2005/09 outbound). A message
holds 1 to 100 notifications; they repeat, come out of order and carry only the latest data, so that
each is a hint to read the record again. A SessionId is never kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

MAX_NOTIFICATIONS = 100
ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    b"</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)
_OBJECT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)


class BadMessage(ValueError):
    """Not an outbound message. The text says why, and repeats nothing of what was sent."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One record that changed."""

    id: str
    object: str
    """Such as `Opportunity`."""
    record: str
    """Id of the record, in its form of 18 characters where Salesforce gives that."""
    fields: Mapping[str, str]
    """The fields the message was set up with, by API name."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    organization: str
    notifications: tuple[Notification, ...]


def read(body: bytes) -> OutboundMessage:
    """The message in a SOAP body. Raises `BadMessage`."""
    notifications = _root(body).find(f"{_SOAP}Body/{_OUTBOUND}notifications")
    if notifications is None:
        raise BadMessage("there is no notifications element in a SOAP body")
    found = notifications.findall(f"{_OUTBOUND}Notification")
    if not 1 <= len(found) <= MAX_NOTIFICATIONS:
        raise BadMessage(f"a message holds 1 to {MAX_NOTIFICATIONS} notifications, not {len(found)}")
    organization = notifications.findtext(f"{_OUTBOUND}OrganizationId", "").strip()
    return OutboundMessage(organization, tuple(_notification(one) for one in found))


def _root(body: bytes) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        raise BadMessage("the XML has a DTD, entities or external references") from None
    except (ParseError, ValueError, LookupError):
        raise BadMessage("the body is not XML") from None
    if root.tag != f"{_SOAP}Envelope":
        raise BadMessage("the body is not a SOAP 1.1 envelope")
    return root


def _notification(element: Element) -> Notification:
    record = element.find(f"{_OUTBOUND}sObject")
    if record is None:
        raise BadMessage("a notification has no sObject")
    kind = record.get(_XSI_TYPE, "").rpartition(":")[2]
    if not _OBJECT.fullmatch(kind):
        raise BadMessage("an sObject does not name its type")
    fields = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in record}
    return Notification(
        id=_id(element.findtext(f"{_OUTBOUND}Id", ""), "a notification's Id"),
        object=kind,
        record=_id(fields.get("Id", ""), "an sObject's Id"),
        fields=fields,
    )


def _id(text: str, what: str) -> str:
    text = text.strip()
    if not _ID.fullmatch(text):
        raise BadMessage(f"{what} is not a Salesforce id of 15 or 18 characters")
    return text
