"""Worker elements become canonical workers: what counts, what is left out, what is named as missing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from connectors.workday import mapping
from domain.people import UnreadablePerson, Worker
from tests.unit.connectors.workday.workday_sample import (
    BOSS,
    CHAIN,
    NAMESPACES,
    ORGANIZATIONS,
    POSITION,
    STATUS,
    WID,
    settings,
    worker_xml,
)

AS_OF = datetime(2026, 11, 23, 6, tzinfo=UTC)
GONE = STATUS.replace(
    "<wd:Terminated>0</wd:Terminated>",
    "<wd:Terminated>true</wd:Terminated><wd:Termination_Date>2026-10-31</wd:Termination_Date>",
)


def element(text: str) -> Any:
    return fromstring(text.replace("<wd:Worker>", f"<wd:Worker {NAMESPACES}>", 1))


def mapped(text: str, ahead: str = "", **changes: Any) -> Worker | UnreadablePerson:
    now = element(text)
    return mapping.worker("hr", settings(**changes), now, element(ahead) if ahead else now, AS_OF)


def read(text: str, ahead: str = "", **changes: Any) -> Worker:
    worker = mapped(text, ahead, **changes)
    assert isinstance(worker, Worker), worker
    return worker


def refused(text: str, **changes: Any) -> UnreadablePerson:
    problem = mapped(text, **changes)
    assert isinstance(problem, UnreadablePerson)
    return problem


def test_an_employee() -> None:
    worker = read(worker_xml())
    assert worker == Worker(
        id=f"worker:hr:{WID}",
        source="hr",
        external_id=WID,
        number="21001",
        entity="GMBH",
        organisation="SUP-7",
        job_profile="ARCH",
        role="Architect",
        grade="IC4",
        manager=BOSS,
        hired_on=date(2019, 2, 25),
        calendar="DE",
        weekly_hours=Decimal("38.5"),
        version=AS_OF,
    )


def test_the_firms_own_names() -> None:
    worker = read(
        worker_xml(),
        companies={"GMBH": "DE01"},
        roles={"ARCH": "Solution Architect"},
        grades={"IC4": "Senior"},
        calendars={"MUC": "DE-BY"},
    )
    assert (worker.entity, worker.role, worker.grade, worker.calendar) == (
        *("DE01", "Solution Architect", "Senior", "DE-BY"),
    )


def test_a_contingent_worker_ends_with_the_contract() -> None:
    contract = (
        "<wd:Worker_Contract_Data><wd:Contract_Pay_Rate>140</wd:Contract_Pay_Rate>"
        "<wd:Contract_End_Date>2027-03-31</wd:Contract_End_Date><wd:Supplier_Reference>"
        '<wd:ID wd:type="WID">s1</wd:ID><wd:ID wd:type="Supplier_ID">SUP-881</wd:ID></wd:Supplier_Reference>'
        "</wd:Worker_Contract_Data>"
    )
    worker = read(worker_xml(id_type="Contingent_Worker_ID", contract=contract))
    assert (worker.kind, worker.supplier, worker.ends_on) == ("contingent", "SUP-881", date(2027, 3, 31))
    assert "140" not in worker.model_dump_json(), "no pay"


def test_a_leaver_has_a_last_day_and_no_job() -> None:
    worker = read(worker_xml(status=GONE, job="", organizations=""))
    assert (worker.ends_on, worker.entity, worker.role) == (date(2026, 10, 31), "", "")
    assert worker.employed_on(date(2026, 10, 31))
    assert not worker.employed_on(date(2026, 11, 1))


def test_the_last_day_is_known_ahead_while_the_job_is_todays() -> None:
    ahead = worker_xml(status=GONE.replace("2026-10-31", "2027-01-31"), job="", organizations="")
    worker = read(worker_xml(), ahead)
    assert (worker.ends_on, worker.role) == (date(2027, 1, 31), "Architect")


def test_an_old_termination_of_a_rehired_worker_does_not_count() -> None:
    status = STATUS.replace(
        "<wd:Terminated>0</wd:Terminated>", "<wd:Termination_Date>2020-01-31</wd:Termination_Date>"
    )
    assert read(worker_xml(status=status)).ends_on is None


def test_the_manager_is_who_leads_and_is_not_the_worker() -> None:
    job = POSITION.format(manager="")
    chain = CHAIN.format(top=BOSS, own=WID)
    assert read(worker_xml(job=job, more=chain)).manager == BOSS
    assert read(worker_xml(job=job)).manager is None


def test_the_primary_job_counts() -> None:
    second = POSITION.format(manager="").replace("Architect", "Lecturer")
    jobs = f'</wd:Worker_Job_Data><wd:Worker_Job_Data wd:Primary_Job="1">{second}'
    text = worker_xml(primary="0").replace("</wd:Worker_Job_Data>", f"{jobs}</wd:Worker_Job_Data>", 1)
    assert read(text).role == "Lecturer"


def test_name_and_work_address_and_nothing_else() -> None:
    def mail(usage: str, address: str) -> str:
        return (
            f"<wd:Email_Address_Data><wd:Email_Address>{address}</wd:Email_Address><wd:Usage_Data>"
            f'<wd:Type_Data><wd:Type_Reference><wd:ID wd:type="Communication_Usage_Type_ID">{usage}</wd:ID>'
            "</wd:Type_Reference></wd:Type_Data></wd:Usage_Data></wd:Email_Address_Data>"
        )

    mails = mail("HOME", "ada@home.example") + mail("WORK", "ada@acme.example")
    personal = (
        "<wd:Personal_Data><wd:Name_Data><wd:Preferred_Name_Data>"
        '<wd:Name_Detail_Data wd:Formatted_Name="Ada O."/></wd:Preferred_Name_Data></wd:Name_Data>'
        f"<wd:Birth_Date>1980-01-01</wd:Birth_Date><wd:Contact_Data>{mails}</wd:Contact_Data>"
        "</wd:Personal_Data>"
    )
    worker = read(worker_xml(more=personal))
    assert (worker.name, worker.email) == ("Ada O.", "ada@acme.example")
    assert "ada" not in worker.id
    text = worker.model_dump_json()
    assert "1980" not in text
    assert "home" not in text


def test_the_version_is_the_newest_entry() -> None:
    def entry(moment: str) -> str:
        inside = f"<wd:Transaction_Entry_Moment>{moment}</wd:Transaction_Entry_Moment>"
        data = f"<wd:Transaction_Log_Data>{inside}</wd:Transaction_Log_Data>"
        return f"<wd:Transaction_Log_Entry>{data}</wd:Transaction_Log_Entry>"

    entries = entry("2026-11-20T10:00:00-08:00") + entry("2026-11-20T17:30:00Z")
    log = f"<wd:Transaction_Log_Entry_Data>{entries}</wd:Transaction_Log_Entry_Data>"
    assert read(worker_xml(more=log)).version == datetime(2026, 11, 20, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (worker_xml(status=""), "Employment_Data.Worker_Status_Data"),
        (worker_xml(job=""), "Employment_Data.Worker_Job_Data.Position_Data"),
        (worker_xml(organizations=""), "Organization_Data of type COMPANY"),
        (
            worker_xml(status=GONE.replace("<wd:Termination_Date>2026-10-31</wd:Termination_Date>", "")),
            "Worker_Data.Employment_Data.Worker_Status_Data.Termination_Date",
        ),
        (
            worker_xml().replace("<wd:Job_Profile_Name>Architect</wd:Job_Profile_Name>", ""),
            "Job_Profile_Name",
        ),
    ],
)
def test_what_is_missing_is_named(text: str, field: str) -> None:
    problem = refused(text)
    assert (problem.kind, problem.external_id, problem.field) == ("worker", WID, field)
    assert problem.problem == "is missing"


def test_what_cannot_be_is_named() -> None:
    assert refused(worker_xml(status=STATUS.replace("2019-02-25", "yesterday"))).field == (
        "Worker_Status_Data.Hire_Date"
    )
    early = GONE.replace("2026-10-31", "2018-01-01")
    assert "before it begins" in refused(worker_xml(status=early)).problem


def test_more_than_the_company_is_ignored() -> None:
    strange = ORGANIZATIONS + ORGANIZATIONS.replace("COMPANY", "PAY_GROUP").replace("GMBH", "PG")
    assert read(worker_xml(organizations=strange, more="<wd:Surprise/>")).entity == "GMBH"
