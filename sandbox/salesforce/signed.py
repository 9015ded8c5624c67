"""Telling the world that a deal was signed: won, and its contract signed by the customer.

The event leaves once, when a write makes it true. Receivers get a Standard Webhooks event
`opportunity.signed`, or an outbound message (SOAP 1.1) as a flow of this org would send it.
Source: SOAP API developer guide, "Outbound messages": notifications with OrganizationId, ActionId and
Notification{Id, sObject}; no session id, no signature; delivered again until acknowledged.
"""

from collections.abc import Callable
from xml.sax.saxutils import escape

from sandbox.core.records import Record, RecordStore
from sandbox.core.webhooks import Webhooks
from sandbox.salesforce import ids
from sandbox.salesforce.login import ORGANIZATION_ID
from sandbox.salesforce.values import stamp

EVENT = "opportunity.signed"
ACTION_ID = ids.record_id("04k", 1)
SENT_FIELDS = ("AccountId", "ContractId", "Name", "StageName")


class SignedDeals:
    """Watches writes for deals that become signed."""

    def __init__(self, store: RecordStore, webhooks: Webhooks) -> None:
        self._store = store
        self._webhooks = webhooks

    def is_signed(self, opportunity: Record) -> bool:
        """Whether an opportunity is won and its contract carries the customer's signature date."""
        contract_id = opportunity.get("ContractId")
        contract = self._store.get("Contract", contract_id) if contract_id else None
        return bool(opportunity["IsWon"] and contract is not None and contract.get("CustomerSignedDate"))

    def look(self, created: Record) -> None:
        """Tell of an opportunity that was created signed."""
        if created.object == "Opportunity" and self.is_signed(created):
            self._tell(created)

    def watching(self, record: Record, write: Callable[[], Record]) -> Record:
        """Run a write to `record`, and tell of the deals that it signs."""
        before = {row.id for row in self._concerned(record) if self.is_signed(row)}
        after = write()
        for row in self._concerned(after):
            if row.id not in before and self.is_signed(row):
                self._tell(row)
        return after

    def _concerned(self, record: Record) -> list[Record]:
        if record.object == "Opportunity":
            return [record]
        if record.object == "Contract":
            return self._store.find("Opportunity", "ContractId", record.id)
        return []

    def _tell(self, opportunity: Record) -> None:
        data = {
            "organization_id": ORGANIZATION_ID,
            "object": "Opportunity",
            "id": opportunity.id,
            "system_modstamp": stamp(opportunity.modified),
        }
        data |= {name: opportunity.get(name) for name in SENT_FIELDS}
        forms = {"salesforce-outbound-message": lambda message_id: outbound_message(opportunity, message_id)}
        self._webhooks.emit("salesforce", EVENT, data, forms)


def outbound_message(opportunity: Record, message_id: str) -> str:
    """The SOAP envelope of one notification."""
    notification_id = ids.record_id("04l", int(message_id.removeprefix("msg_"), 16) % 62**5)
    values = {"Id": opportunity.id, **{name: opportunity.get(name) for name in SENT_FIELDS}}
    values["SystemModstamp"] = stamp(opportunity.modified).replace("+0000", "Z")
    fields = "".join(f"<sf:{k}>{escape(str(v))}</sf:{k}>" for k, v in values.items() if v is not None)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{ORGANIZATION_ID}</OrganizationId><ActionId>{ACTION_ID}</ActionId>"
        '<SessionId xsi:nil="true"/><EnterpriseUrl xsi:nil="true"/><PartnerUrl xsi:nil="true"/>'
        f'<Notification><Id>{notification_id}</Id><sObject xsi:type="sf:Opportunity"'
        f' xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{fields}</sObject></Notification>'
        "</notifications></soapenv:Body></soapenv:Envelope>"
    )
