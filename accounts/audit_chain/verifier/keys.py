"""The signing keys of a log, in their order."""

from typing import Any

from accounts.audit_chain.verifier.digests import digest
from accounts.audit_chain.verifier.finding import Finding
from accounts.audit_chain.verifier.signed import is_signed, key_id_of


class Keys:
    """The signing keys, each introduced by the one before it, and when each of them held."""

    def __init__(self, envelopes: list[Any], fingerprint: "str | None") -> None:
        self.findings: list[Finding] = []
        self.notices: list[str] = []
        told = [envelope["statement"] for envelope in envelopes]
        self._order = [str(each["key_id"]) for each in told]
        self._from = [str(each["at"]) for each in told]
        self._public = [bytes.fromhex(each["public_key"]) for each in told]
        if len(set(self._order)) != len(self._order):
            self._bad("a key stands there twice")
        for place, envelope in enumerate(envelopes):
            self._check(place, envelope)
        if fingerprint is not None:
            self._anchor(fingerprint, [each["previous"] for each in told])

    def _bad(self, text: str) -> None:
        self.findings.append(Finding(0, text))

    def _check(self, place: int, envelope: Any) -> None:
        statement, key_id = envelope["statement"], self._order[place]
        before = self._order[place - 1] if place else None
        if statement["kind"] != "key" or key_id_of(self._public[place]) != key_id:
            self._bad(f"key {key_id} is not the key of that id")
        if statement["previous"] is None and place:
            self.notices.append(f"key {key_id} replaced a lost one: no earlier key vouches for it")
        elif statement["previous"] != before:
            self._bad(f"key {key_id} follows a key that is not the one before it")
        signer = place if statement["previous"] is None else place - 1
        if not is_signed(envelope, self._public[signer]):
            self._bad(f"key {key_id} is not signed by {self._order[signer]}")

    def _anchor(self, fingerprint: str, previous: list[Any]) -> None:
        """The known key must be here, and vouch for those after it; those before it don't count."""
        wanted = fingerprint.lower().replace(":", "").removeprefix("sha256")
        known = [digest(public_key) for public_key in self._public]
        if wanted not in known:
            self._bad(f"no key of this log has the fingerprint {wanted}")
        elif None in previous[known.index(wanted) + 1 :]:
            self._bad(f"the key with the fingerprint {wanted} does not vouch for the later ones")

    def check_manifest(self, envelope: Any) -> None:
        """Only the newest key signs exports: what an earlier one signs may be by a thief of it."""
        key_id = envelope["statement"]["key_id"]
        if fault := self.fault_of(envelope, "manifest"):
            self._bad(f"the manifest is {fault}")
        elif key_id != self.current:
            self._bad(
                f"the manifest is signed with key {key_id}, not with the last one it tells of"
            )

    @property
    def current(self) -> str:
        return self._order[-1]

    @property
    def fingerprint(self) -> str:
        return digest(self._public[-1])

    def place_of(self, statement: Any) -> int:
        return self._order.index(str(statement["key_id"]))

    def fault_of(self, envelope: Any, *kinds: str) -> "str | None":
        """Say what is wrong with a signature; None where it holds."""
        statement = envelope["statement"]
        key_id, at = str(statement["key_id"]), str(statement["at"])
        if statement["kind"] not in kinds:
            return "something else"
        if key_id not in self._order:
            return f"signed with an unknown key {key_id}"
        place = self.place_of(statement)
        if not is_signed(envelope, self._public[place]):
            return f"not signed by key {key_id}"
        if self._from[place + 1 :] and at > self._from[place + 1]:
            return f"signed at {at} with the stale key {key_id}, retired at {self._from[place + 1]}"
        return None
