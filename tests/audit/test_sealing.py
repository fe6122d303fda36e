"""Every record gets its place in its tenant's chain, once, whatever happens meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, transaction
from django.db import connection as site_connection
from django.test import Client

from accounts import audit
from accounts.audit_chain import chain as chain_module
from accounts.audit_chain import checkpoints, locks, records
from accounts.audit_chain import sealer as sealer_module
from accounts.audit_chain.chain import Chains
from accounts.audit_chain.record import Row, digest_of_personal, line
from accounts.audit_chain.records import Head
from accounts.audit_chain.sealer import Sealing
from accounts.audit_chain.signer import Signer
from accounts.audit_chain.verifier.chain import Chain
from accounts.audit_chain.verifier.digests import NOTHING
from accounts.models import AuditCheckpoint, AuditRecord, AuditSealer, Tenant
from accounts.models.audit import LAST_NUMBER
from ffapi_site.database import sealing
from ffapi_site.database.owner import as_owner
from ffapi_site.database.sealing import SealerConnection
from ffapi_site.lib import chores
from tests.audit.world import write
from tests.factories import TenantFactory
from tests.harness.superuser import superuser


def chain_of(tenant: Tenant | None) -> Chain:
    chain = Chain(tenant.pk if tenant else None, 1, NOTHING)
    rows = AuditRecord.objects.filter(tenant=tenant, seq__isnull=False).order_by("seq")
    for row in rows.values():
        assert chain.read(line(dict(row))), chain.findings
    assert chain.findings == []
    return chain


def test_it_works(tenant: Tenant, sealer: Sealing) -> None:
    made = write(tenant, 5)
    sealer.step()
    assert len(chain_of(tenant).hashes) == 5
    sealed = AuditRecord.objects.filter(tenant=tenant).order_by("seq")
    assert [record.pk for record in sealed] == made
    told = AuditSealer.objects.get()
    assert (told.is_reduced, told.troubles) == (False, [])


def test_a_transaction_s_records_are_sealed_in_their_order(tenant: Tenant, sealer: Sealing) -> None:
    """Many of them are of one millisecond."""
    with transaction.atomic():
        made = write(tenant, 300)
    sealer.step()
    sealed = AuditRecord.objects.filter(tenant=tenant).order_by("seq")
    assert [record.pk for record in sealed] == made


def test_ids_go_on_where_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = audit._Ids()
    monkeypatch.setattr("accounts.audit.new_id", lambda _: "audit_01m7zz" + "z" * 20)
    made = [ids.next() for _ in range(40)]
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {32}


def test_each_tenant_has_a_chain_of_its_own(tenant: Tenant, sealer: Sealing) -> None:
    other = TenantFactory.create()
    for each in (tenant, None, other, tenant, None):
        write(each)
    sealer.step()
    # The installation's first record tells of its signing key.
    lengths = [len(chain_of(each).hashes) for each in (tenant, other, None)]
    assert lengths == [2, 1, 3]
    places = AuditRecord.objects.order_by("place").values_list("place", flat=True)
    assert list(places) == [1, 2, 3, 4, 5, 6]


def test_a_transaction_that_stays_open_holds_up_nobody_else(
    tenant: Tenant, sealer: Sealing
) -> None:
    settings = site_connection.get_connection_params()
    with psycopg.connect(
        dbname=settings["dbname"], host=settings["host"], user=settings["user"]
    ) as slow:
        slow.execute("SET ffapi.tenant = '*'")
        slow.execute(
            """INSERT INTO accounts_auditrecord (id, event_type, outcome, actor_type, actor_id,
            tenant_id, resource_type, resource_id, request_id, details) VALUES
            ('audit_slow', 'job.created', 'success', 'user', '1', %s, 'job', '', '', '{}')""",
            [tenant.pk],
        )
        made = write(tenant, 3)
        sealer.step()
        assert len(chain_of(tenant).hashes) == 3
        slow.commit()
    sealer.step()
    sealed = AuditRecord.objects.filter(tenant=tenant).order_by("seq")
    assert [record.pk for record in sealed] == [*made, "audit_slow"]


def test_what_was_restored_from_another_server_is_sealed(tenant: Tenant, sealer: Sealing) -> None:
    """Its transactions may lie in the future of this one."""
    write(tenant)
    with superuser() as cursor:
        cursor.execute("UPDATE accounts_auditrecord SET xid = '9999999999' WHERE seq IS NULL")
    sealer.step()
    assert len(chain_of(tenant).hashes) == 1


def put_past_the_product(tenant: Tenant, details: str, at: str = "now") -> None:
    """Write a record as whoever has the site's role can, without the product."""
    with site_connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO accounts_auditrecord (id, event_type, outcome, actor_type, actor_id,
            tenant_id, resource_type, resource_id, request_id, details, at) VALUES
            ('audit_odd', 'job.created', 'success', 'user', '1', %s, 'job', '', '', %s, %s)""",
            [tenant.pk, details, at],
        )


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("details", "at"),
    [
        (nested(10_000), "now"),
        (nested(101), "now"),
        ('{"a":' * 400 + "1" + "}" * 400, "now"),
        ("1e5000", "now"),
        ("1" + "0" * 400 + ".5", "now"),
        ("{}", "infinity"),
        ("{}", "4000-01-01 BC"),
    ],
    ids=["deep", "too deep", "objects", "many digits", "no float", "never", "long ago"],
)
def test_a_record_that_can_t_be_sealed_holds_up_no_other_tenant(
    tenant: Tenant, sealer: Sealing, staff_client: Client, details: str, at: str
) -> None:
    other = TenantFactory.create()
    put_past_the_product(tenant, details, at)
    for each in (tenant, other, None):
        write(each)
    sealer.step()
    sealer.step()
    assert not AuditRecord.objects.filter(tenant=tenant, seq__isnull=False).exists()
    assert [len(chain_of(each).hashes) for each in (other, None)] == [1, 2]
    assert list(sealer.troubles) == [tenant.pk]
    told = staff_client.get("/health/detailed").json()["components"]["audit"]
    assert "record audit_odd can't be sealed" in told["warning"]
    # Nor does a process that was started anew stop at it.
    write(other)
    again = Sealing(sealer.signer.connection)
    again.step()
    again.step()
    assert len(chain_of(other).hashes) == 2


def test_a_chain_that_nobody_knows_the_fault_of_holds_up_no_other(
    tenant: Tenant, sealer: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, personal = TenantFactory.create(), digest_of_personal

    def fail(row: Row) -> str | None:
        if row["tenant_id"] == tenant.pk:
            raise AttributeError("what nobody thought of")
        return personal(row)

    monkeypatch.setattr(chain_module, "digest_of_personal", fail)
    for each in (tenant, other, None):
        write(each)
    sealer.step()
    assert [len(chain_of(each).hashes) for each in (other, None)] == [1, 2]
    assert list(sealer.troubles) == [tenant.pk]


def test_a_checkpoint_that_fails_holds_up_no_other_chain(
    tenant: Tenant, sealer: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, make = TenantFactory.create(), checkpoints.make
    for each in (tenant, other):
        write(each)
    sealer.step()

    def fail(signer: Signer, of: str | None, known: Head | None) -> None:
        if of == tenant.pk:
            raise KeyError("what nobody thought of")
        make(signer, of, known)

    monkeypatch.setattr(checkpoints, "make", fail)
    for each in (tenant, other):
        sealer.sign(each.pk)
    assert list(sealer.troubles) == [tenant.pk]
    assert AuditCheckpoint.objects.filter(tenant=other).exists()


def test_the_sealer_goes_on_after_what_nobody_thought_of(
    tenant: Tenant, sealer: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, failures = threading.Event(), [KeyError("?"), RecursionError(), MemoryError()]
    steps: list[None] = []
    monkeypatch.setattr(sealer_module, "_STANDBY_S", 0.05)
    monkeypatch.setattr(chores, "_FIRST_REST_S", 0.01)

    def serve(*_: object) -> None:
        if failures:
            raise failures.pop()
        stop.set()

    monkeypatch.setattr(sealer_module, "_serve", serve)
    sealer_module.run(stop, lambda: steps.append(None))
    assert len(steps) == 4


def test_a_chain_goes_on_once_the_odd_record_is_taken_out(tenant: Tenant, sealer: Sealing) -> None:
    """As the manual says, by the owner of the tables."""
    put_past_the_product(tenant, nested(10_000))
    write(tenant, 2)
    sealer.step()
    with as_owner(), site_connection.cursor() as cursor:
        cursor.execute("SET ffapi.tenant = '*'")
        cursor.execute("SET ffapi.audit_cut = 'on'")
        cursor.execute("DELETE FROM accounts_auditrecord WHERE id = 'audit_odd' AND seq IS NULL")
    again = Sealing(sealer.signer.connection)
    again.step()
    assert again.troubles == {}
    assert len(chain_of(tenant).hashes) == 2


def test_what_is_nested_less_deep_is_sealed(tenant: Tenant, sealer: Sealing) -> None:
    put_past_the_product(tenant, nested(100))
    sealer.step()
    assert sealer.troubles == {}
    assert len(chain_of(tenant).hashes) == 1


def test_a_second_sealer_stands_by(sealer: Sealing, connection: SealerConnection) -> None:
    assert locks.take_sealing(connection)
    with sealing.connect() as second:
        assert not locks.take_sealing(second)
        connection.close()
        for _ in range(50):
            if locks.take_sealing(second):
                return
    pytest.fail("the lock outlives its holder")


def test_two_that_seal_at_once_do_no_harm(tenant: Tenant, sealer: Sealing) -> None:
    write(tenant, 3)
    sealer.step()
    with sealing.connect() as second:
        late = Chains(second)
        write(tenant, 2)
        late.seal()
        write(tenant, 2)
        with pytest.raises(psycopg.errors.UniqueViolation):
            sealer.step()
    assert len(chain_of(tenant).hashes) == 5


def test_what_another_seals_meanwhile_is_sealed_once(
    tenant: Tenant, connection: SealerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds its records sealed goes on from no head that was never written."""
    chains, read = Chains(connection), records.unsealed

    def overtaken(*asked: Any, **named: Any) -> list[Row]:
        rows = read(*asked, **named)
        monkeypatch.setattr(records, "unsealed", read)
        with sealing.connect() as second:
            Chains(second).seal()
        return rows

    write(tenant, 3)
    monkeypatch.setattr(records, "unsealed", overtaken)
    with pytest.raises(psycopg.OperationalError, match="somebody else"):
        chains.seal()
    assert chains.known_head(tenant.pk) is None
    assert len(chain_of(tenant).hashes) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditrecord SET outcome = 'failure'",
        "UPDATE accounts_auditrecord SET tenant_id = NULL",
        "UPDATE accounts_auditrecord SET hash = repeat('0', 64)",
        "UPDATE accounts_auditrecord SET seq = NULL",
        'UPDATE accounts_auditrecord SET personal = \'{"name": "x"}\'',
        "UPDATE accounts_auditrecord SET details = '{}'",
        "DELETE FROM accounts_auditrecord",
        "TRUNCATE accounts_auditrecord",
        "UPDATE accounts_auditcheckpoint SET seq = 1",
        "DELETE FROM accounts_auditkey",
        "UPDATE accounts_tenant SET name = 'mine'",
    ],
)
def test_the_sealer_itself_can_t_change_what_was_sealed(
    tenant: Tenant, sealer: Sealing, connection: SealerConnection, statement: str
) -> None:
    write(tenant)
    sealer.step()
    with pytest.raises(psycopg.Error, match=r"append-only|permission denied"):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        """INSERT INTO accounts_auditrecord (id, event_type, outcome, actor_type, actor_id,
        resource_type, resource_id, request_id, details, seq) VALUES
        ('audit_forged', 'job.created', 'success', 'user', '1', 'job', '', '', '{}', 7)""",
        "UPDATE accounts_auditrecord SET personal = NULL, salt = NULL",
        "INSERT INTO accounts_auditkey (key_id, envelope) VALUES ('forged', '{}')",
        """INSERT INTO accounts_auditcheckpoint (id, number, kind, seq, at, envelope)
        VALUES ('forged', 1, 'checkpoint', 1, now(), '{}')""",
        "UPDATE accounts_auditforwarding SET place = 0",
        "DELETE FROM accounts_auditforwarding",
        "UPDATE accounts_auditsealer SET troubles = '[]'",
        "DELETE FROM accounts_auditsealer",
        "SET ROLE ffapi_sealer",
    ],
)
def test_the_site_can_t_do_what_the_sealer_does(
    tenant: Tenant, sealer: Sealing, statement: str
) -> None:
    write(tenant)
    sealer.step()
    with (
        pytest.raises(DatabaseError, match=r"append-only|permission denied"),
        site_connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_chain_at_its_last_number_holds_up_no_other(tenant: Tenant, sealer: Sealing) -> None:
    """As somebody might have left it who was superuser for a moment."""
    other = TenantFactory.create()
    write(tenant)
    with superuser() as cursor:
        cursor.execute(
            "UPDATE accounts_auditrecord SET seq = %(last)s, place = %(last)s, prev_hash = '',"
            " hash = '', personal_digest = '' WHERE tenant_id = %(tenant)s",
            {"last": LAST_NUMBER, "tenant": tenant.pk},
        )
    write(tenant)
    write(other)
    later = Sealing(sealer.signer.connection)
    later.step()
    later.step()
    assert len(chain_of(other).hashes) == 1
    assert "there is no next one" in later.troubles[tenant.pk]
