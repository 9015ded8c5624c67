"""Workers as Get_Workers shows them, and clients of a tenant that answers what a test says."""

from collections.abc import Callable
from typing import Any

import httpx

from connectors.workday.client import WorkdayClient, build
from connectors.workday.settings import WorkdaySettings

HOST = "https://wd5-services1.myworkday.com"
WID = "0e44c92412d34b01ace61e80a47aaf6d"
BOSS = "3aa5550b7fe348b98d7b5741afc65534"
NAMESPACES = 'xmlns:wd="urn:com.workday/bsvc" xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"'
STATUS = (
    "<wd:Worker_Status_Data><wd:Active>1</wd:Active><wd:Hire_Date>2019-02-25-08:00</wd:Hire_Date>"
    "<wd:Terminated>0</wd:Terminated></wd:Worker_Status_Data>"
)
POSITION = """
<wd:Position_Data wd:Effective_Date="2026-01-01">
 <wd:Business_Title>Lead of something</wd:Business_Title>
 <wd:Scheduled_Weekly_Hours>38.5</wd:Scheduled_Weekly_Hours>
 <wd:Job_Profile_Summary_Data>
  <wd:Job_Profile_Reference><wd:ID wd:type="WID">j1</wd:ID><wd:ID wd:type="Job_Profile_ID">ARCH</wd:ID>
  </wd:Job_Profile_Reference>
  <wd:Management_Level_Reference><wd:ID wd:type="Management_Level_ID">IC4</wd:ID>
  </wd:Management_Level_Reference>
  <wd:Job_Profile_Name>Architect</wd:Job_Profile_Name>
 </wd:Job_Profile_Summary_Data>
 <wd:Business_Site_Summary_Data>
  <wd:Location_Reference><wd:ID wd:type="Location_ID">MUC</wd:ID></wd:Location_Reference>
  <wd:Address_Data><wd:Country_Reference><wd:ID wd:type="ISO_3166-1_Alpha-2_Code">DE</wd:ID>
  </wd:Country_Reference></wd:Address_Data>
 </wd:Business_Site_Summary_Data>{manager}
</wd:Position_Data>"""
MANAGER = (
    "<wd:Manager_as_of_last_detected_manager_change_Reference>"
    f'<wd:ID wd:type="WID">{BOSS}</wd:ID></wd:Manager_as_of_last_detected_manager_change_Reference>'
)
ORGANIZATIONS = "".join(
    "<wd:Worker_Organization_Data><wd:Organization_Data>"
    f"<wd:Organization_Reference_ID>{key}</wd:Organization_Reference_ID><wd:Organization_Type_Reference>"
    f'<wd:ID wd:type="Organization_Type_ID">{kind}</wd:ID></wd:Organization_Type_Reference>'
    "</wd:Organization_Data></wd:Worker_Organization_Data>"
    for key, kind in (("CC-1", "COST_CENTER"), ("GMBH", "COMPANY"), ("SUP-7", "SUPERVISORY"))
)
CHAIN = (
    "<wd:Management_Chain_Data><wd:Worker_Supervisory_Management_Chain_Data>"
    '<wd:Management_Chain_Data><wd:Manager_Reference><wd:ID wd:type="WID">{top}</wd:ID>'
    "</wd:Manager_Reference></wd:Management_Chain_Data><wd:Management_Chain_Data><wd:Manager_Reference>"
    '<wd:ID wd:type="WID">{own}</wd:ID></wd:Manager_Reference></wd:Management_Chain_Data>'
    "</wd:Worker_Supervisory_Management_Chain_Data></wd:Management_Chain_Data>"
)


def worker_xml(
    *,
    id_type: str = "Employee_ID",
    status: str = STATUS,
    job: str | None = None,
    primary: str = "1",
    contract: str = "",
    organizations: str = ORGANIZATIONS,
    more: str = "",
) -> str:
    """One worker element; parts may be replaced."""
    position = POSITION.format(manager=MANAGER) if job is None else job
    jobs = f'<wd:Worker_Job_Data wd:Primary_Job="{primary}">{position}</wd:Worker_Job_Data>'
    return (
        f'<wd:Worker><wd:Worker_Reference><wd:ID wd:type="WID">{WID}</wd:ID>'
        f'<wd:ID wd:type="{id_type}">21001</wd:ID></wd:Worker_Reference><wd:Worker_Data>'
        f"<wd:Worker_ID>21001</wd:Worker_ID><wd:Employment_Data>{jobs if position else ''}{status}{contract}"
        f"</wd:Employment_Data><wd:Organization_Data>{organizations}</wd:Organization_Data>{more}"
        "</wd:Worker_Data></wd:Worker>"
    )


def envelope(inside: str) -> str:
    """A SOAP envelope around a body."""
    body = f"<env:Body>{inside}</env:Body>"
    return f"<?xml version='1.0' encoding='utf-8'?><env:Envelope {NAMESPACES}>{body}</env:Envelope>"


def response(*workers: str, total: int | None = None) -> str:
    """A Get_Workers response with one page."""
    count = len(workers) if total is None else total
    results = f"<wd:Total_Results>{count}</wd:Total_Results><wd:Total_Pages>1</wd:Total_Pages>"
    data = f"<wd:Response_Data>{''.join(workers)}</wd:Response_Data>"
    inside = f"<wd:Response_Results>{results}</wd:Response_Results>{data}"
    return envelope(f"<wd:Get_Workers_Response>{inside}</wd:Get_Workers_Response>")


def fault(code: str, detail: str = "", words: str = "It went wrong.") -> str:
    """A SOAP fault."""
    inside = f"<faultcode>{code}</faultcode><faultstring>{words}</faultstring>"
    return envelope(f"<env:Fault>{inside}{detail and f'<detail>{detail}</detail>'}</env:Fault>")


def settings(**changes: Any) -> WorkdaySettings:
    given = {
        "base_url": HOST,
        "tenant": "acme",
        "token_url": f"{HOST}/ccx/oauth2/acme/token",
        "client_id": "c",
        "client_secret": "client-secret",
        "refresh_token": "refresh-secret",
        "look_ahead_days": 0,
    }
    return WorkdaySettings.model_validate({**given, **changes})


class Answers:
    """A tenant that answers what it is told, and remembers what it was asked."""

    def __init__(self, *answers: Callable[[httpx.Request], httpx.Response] | httpx.Response) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            self.tokens += 1
            body = {"access_token": f"token-{self.tokens}", "expires_in": 300, "token_type": "Bearer"}
            return httpx.Response(200, json=body)
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, content=answer.content, headers=dict(answer.headers))
        return answer(request)


def client(answers: Answers, **changes: Any) -> WorkdayClient:
    """A client of that tenant."""
    return build("hr", settings(**changes), httpx.MockTransport(answers))


def xml(text: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, text=text, headers={"content-type": "text/xml"})
