"""Calls of Workday Web Services (SOAP 1.1, document/literal) with the same bearer token as REST.

Only reads go this way here. A fault is told apart by its detail, see errors.py; an answer that is no XML is
a proxy's page and passes.
"""

from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

import httpx

from connectors.errors import ConnectorError, Rejected, Transient
from connectors.http.resolution import Refusal
from connectors.http.transport import VendorHttp
from connectors.workday.errors import SIGN_IN, fault_of
from connectors.workday.settings import WorkdaySettings
from connectors.workday.xml import ENVELOPE, NAMESPACE, WD, NotXml, parsed

register_namespace("wd", NAMESPACE)
register_namespace("soapenv", ENVELOPE)
HEADERS = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml", "SOAPAction": '""'}


class Soap:
    """The web services of one tenant."""

    def __init__(self, http: VendorHttp, settings: WorkdaySettings) -> None:
        self._http = http
        self._settings = settings

    def request(self, name: str) -> Element:
        """An empty request with the version that every request bears."""
        return Element(f"{WD}{name}_Request", {f"{WD}version": self._settings.soap_version})

    async def read(self, service: str, request: Element, operation: str) -> Element:
        """The response element to a reading request. Raises the classes of `connectors.errors`."""
        settings = self._settings
        path = f"/ccx/service/{settings.tenant}/{service}/{settings.soap_version}"
        answer = await self._http.call(
            "POST",
            path,
            operation=operation,
            write=False,
            content=_enveloped(request),
            headers=HEADERS,
            text=True,
            signed_out=_signed_out,
        )
        return self._response(str(answer.body), request, operation)

    def _response(self, text: str, request: Element, operation: str) -> Element:
        try:
            root = parsed(text)
        except NotXml as problem:
            raise self.error(Transient, operation, str(problem)) from None
        if fault_of(root):
            raise self._http.error_of(Refusal(operation, 500, text, write=False))
        wanted = request.tag.replace("_Request", "_Response")
        found = root.find(f"{{{ENVELOPE}}}Body/{wanted}")
        if found is None:
            name = wanted.removeprefix(WD)
            words = f"the answer is not as documented: {name} is missing"
            raise self.error(Rejected, operation, words, field=name, rule="schema.missing_field")
        return found

    def error(
        self, kind: type[ConnectorError], operation: str, words: str, field: str = "", rule: str = ""
    ) -> ConnectorError:
        """An error of this tenant that its answers do not carry themselves."""
        system = self._http.system
        return kind(
            f"{system}: {operation}: {words}", system=system, operation=operation, field=field, rule=rule
        )


def _signed_out(response: httpx.Response) -> bool:
    """A token that has run out may come back as a fault instead of a 401."""
    return response.status_code == 401 or (response.status_code == 500 and SIGN_IN in response.text)


def _enveloped(request: Element) -> bytes:
    envelope = Element(f"{{{ENVELOPE}}}Envelope")
    SubElement(envelope, f"{{{ENVELOPE}}}Body").append(request)
    content: bytes = tostring(envelope, encoding="utf-8", xml_declaration=True)
    return content
