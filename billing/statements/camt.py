"""CAMT.053, versions 2 and 8: statements and their lines, as a bank wrote them.

camt.053.001.02 and camt.053.001.08 of ISO 20022; docs/adr/021 says where the shapes were read. Only what is booked is
read: a pending entry comes again when it is booked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from xml.etree.ElementTree import Element

from billing.statements.refused import Refused
from billing.statements.xml import read
from core.errors import BadInput
from core.money import Money

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(02|08)\}Document")
_AMOUNT = re.compile(r"\d{1,13}(\.\d{1,5})?")
# What banks write where they have no reference.
_NO_REFERENCE = frozenset({"", "NOTPROVIDED", "NONREF", "NONREFERENCE", "NOTAVAILABLE"})
# A debit that takes money back (ISO 20022 external code set, domain PMNT): family → subfamilies.
_TAKEN_BACK = {"IDDT": {"UPDD", "PRDD", "RCDD"}, "RCDT": {"RRTN", "RPCR"}}
_OPENING, _CLOSING = ("OPBD", "PRCD", "ITBD"), ("CLBD", "ITBD")
_EUR = "EUR"


class LineKind(StrEnum):
    PAYMENT = "payment"  # money came in
    RETURN = "return"  # money that had come in went back
    REVERSAL = "reversal"  # a debit of the creditor's was undone: nobody's payment, so a person looks
    DEBIT = "debit"  # the creditor's own payments, the bank's fees: kept, and nothing more


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction of a statement; one of a batch, where the bank tells them apart."""

    kind: LineKind
    amount: Money  # in: positive, out: negative
    booked_on: date
    bank_reference: str | None = None  # the bank's own
    part: int = 0  # within its batch
    end_to_end: str | None = None  # the payer's, or the creditor's for a direct debit
    reference: str | None = None  # structured
    text: str = ""
    name: str | None = None  # of the other side
    iban: str | None = None
    reason: str | None = None  # ISO 20022 return reason: AC04, AM04, …


@dataclass(frozen=True, slots=True)
class Statement:
    number: str  # the bank's id of it
    sequence: str
    account: str  # IBAN
    opening: Money
    closing: Money
    lines: Sequence[Line]


def parse(content: bytes, account: str) -> list[Statement]:
    """The statements in a file, all of them of this IBAN, in euros, with balances that add up. Raises Refused."""
    root = read(content)
    if not (version := _NAMESPACE.fullmatch(root.tag)):
        raise Refused("not_camt", found=root.tag[:80])
    statements = [
        _Reader(root.tag.removesuffix("Document"), version[1], number).statement(each, account)
        for number, each in enumerate(root.iterfind(_path(root.tag.removesuffix("Document"), "BkToCstmrStmt/Stmt")), 1)
    ]
    if not statements:
        raise Refused("incomplete", where="BkToCstmrStmt/Stmt")
    return statements


def _path(namespace: str, path: str) -> str:
    return "/".join(namespace + name for name in path.split("/"))


class _Reader:
    def __init__(self, namespace: str, version: str, number: int) -> None:
        self._namespace = namespace
        self._version = version
        self._where = f"Stmt {number}"

    def statement(self, stmt: Element, account: str) -> Statement:
        found = re.sub(r"\s", "", self._text(stmt, "Acct/Id/IBAN") or self._text(stmt, "Acct/Id/Othr/Id") or "").upper()
        if found != account:
            raise Refused("other_account", found=found[:34] or "–", expected=account)
        if (currency := self._text(stmt, "Acct/Ccy") or _EUR) != _EUR:
            raise Refused("currency", where=self._where, currency=currency[:3])
        opening, closing = self._balance(stmt, _OPENING), self._balance(stmt, tuple(reversed(_CLOSING)), last=True)
        lines = [line for number, ntry in enumerate(self._all(stmt, "Ntry"), 1) for line in self._entry(ntry, number)]
        expected = sum((line.amount for line in lines), opening)
        if expected != closing:
            raise Refused("balance", where=self._where, total=expected, told=closing)
        return Statement(
            number=self._required(stmt, "Id")[:70],
            sequence=(self._text(stmt, "ElctrncSeqNb") or self._text(stmt, "LglSeqNb") or "")[:20],
            account=account,
            opening=opening,
            closing=closing,
            lines=[line for line in lines if line.amount],
        )

    def _balance(self, stmt: Element, codes: Sequence[str], *, last: bool = False) -> Money:
        """The opening balance, else the previous closing one, else an interim one (of a page); or the last closing."""
        found = [(self._text(each, "Tp/CdOrPrtry/Cd"), each) for each in self._all(stmt, "Bal")]
        of_codes = sorted(
            ((codes.index(code), each) for code, each in found if code in codes), key=lambda pair: pair[0]
        )
        if not of_codes:
            raise Refused("incomplete", where=f"{self._where}: Bal {codes[-1] if last else codes[0]}")
        best = [each for rank, each in of_codes if rank == (of_codes[-1][0] if last else of_codes[0][0])]
        return self._signed(best[-1] if last else best[0], f"{self._where}: Bal")

    def _entry(self, ntry: Element, number: int) -> Iterator[Line]:
        where = f"{self._where}, Ntry {number}"
        status = self._text(ntry, "Sts" if self._version == "02" else "Sts/Cd")
        if status is None:
            raise Refused("incomplete", where=f"{where}: Sts")
        if status != "BOOK":
            return
        total = self._signed(ntry, where)
        details = [each for group in self._all(ntry, "NtryDtls") for each in self._all(group, "TxDtls")]
        if len(details) <= 1:
            # What moved on the account is the entry's amount, whatever charges its only transaction tells of.
            yield self._line(ntry, details[0] if details else None, total, 0, where)
            return
        amounts = [self._part(each, total, where) for each in details]
        if any(amount is None for amount in amounts):  # the bank does not say how it divides
            yield self._line(ntry, None, total, 0, where)
            return
        known = [amount for amount in amounts if amount is not None]
        if sum(known, Money(0)) != total:
            raise Refused("batch", where=where, total=total, told=sum(known, Money(0)))
        for part, (each, amount) in enumerate(zip(details, known, strict=True)):
            yield self._line(ntry, each, amount, part, where)

    def _part(self, details: Element, total: Money, where: str) -> Money | None:
        """What one transaction of a batch moved, with its sign; None where the bank does not tell."""
        for path in ("Amt", "AmtDtls/TxAmt/Amt"):
            if (amount := self._one(details, path)) is not None:
                value = self._money(amount, where)
                direction = self._text(details, "CdtDbtInd") or ("CRDT" if total.minor >= 0 else "DBIT")
                return value if direction == "CRDT" else Money(-value.minor)
        return None

    def _line(self, ntry: Element, details: Element | None, amount: Money, part: int, where: str) -> Line:
        kind = self._kind(ntry, details, amount)
        booked_on = self._day(ntry, where)
        bank = (details is not None and self._id(details, "Refs/AcctSvcrRef")) or self._id(ntry, "AcctSvcrRef")
        if kind is LineKind.DEBIT:  # whom the creditor pays is not our business
            return Line(kind, amount, booked_on, bank, part)
        if details is None:
            return Line(kind, amount, booked_on, bank, part, text=self._words(ntry, "AddtlNtryInf"))
        references = [self._squeezed(each.text or "") for each in self._all(details, "RmtInf/Strd/CdtrRefInf/Ref")]
        text = " ".join(self._squeezed(each.text or "") for each in self._all(details, "RmtInf/Ustrd"))
        text = text or self._words(details, "AddtlTxInf") or self._words(ntry, "AddtlNtryInf")
        side = self._other_side(details, kind)
        code = self._text(details, "RtrInf/Rsn/Cd") or ""
        return Line(
            kind=kind,
            amount=amount,
            booked_on=booked_on,
            bank_reference=bank,
            part=part,
            end_to_end=self._id(details, "Refs/EndToEndId"),
            reference=references[0][:140] if references else None,
            text=" ".join([text, *references[1:]]).strip()[:2_000],
            name=self._name(details, side),
            iban=self._iban(details, side),
            reason=code if re.fullmatch(r"[A-Z0-9]{4}", code) else None,
        )

    def _kind(self, ntry: Element, details: Element | None, amount: Money) -> LineKind:
        undone = self._text(ntry, "RvslInd") in ("true", "1")
        undone = undone or (details is not None and self._one(details, "RtrInf") is not None)
        if amount.minor >= 0:
            return LineKind.REVERSAL if undone else LineKind.PAYMENT
        for each in [each for each in (details, ntry) if each is not None]:
            family = self._text(each, "BkTxCd/Domn/Fmly/Cd") or ""
            undone = undone or self._text(each, "BkTxCd/Domn/Fmly/SubFmlyCd") in _TAKEN_BACK.get(family, ())
        return LineKind.RETURN if undone else LineKind.DEBIT

    def _other_side(self, details: Element, kind: LineKind) -> str:
        """Who paid: of a returned debit still the debtor, of a returned transfer the one who gets it back."""
        if kind is LineKind.RETURN and self._name(details, "Dbtr") is None and self._iban(details, "Dbtr") is None:
            return "Cdtr"
        return "Dbtr"

    def _name(self, details: Element, side: str) -> str | None:
        nested = "Nm" if self._version == "02" else "Pty/Nm"
        return self._words(details, f"RltdPties/{side}/{nested}")[:140] or None

    def _iban(self, details: Element, side: str) -> str | None:
        found = re.sub(r"\s", "", self._text(details, f"RltdPties/{side}Acct/Id/IBAN") or "").upper()
        return found if re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", found) else None

    def _day(self, ntry: Element, where: str) -> date:
        for path in ("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"):
            if text := self._text(ntry, path):
                try:
                    return date.fromisoformat(text[:10])
                except ValueError:
                    raise Refused("incomplete", where=f"{where}: {path}") from None
        raise Refused("incomplete", where=f"{where}: BookgDt")

    def _signed(self, element: Element, where: str) -> Money:
        amount = self._one(element, "Amt")
        direction = self._text(element, "CdtDbtInd")
        if amount is None or direction not in ("CRDT", "DBIT"):
            raise Refused("incomplete", where=f"{where}: Amt, CdtDbtInd")
        value = self._money(amount, where)
        return value if direction == "CRDT" else Money(-value.minor)

    def _money(self, amount: Element, where: str) -> Money:
        if (currency := amount.get("Ccy", "")) != _EUR:
            raise Refused("currency", where=where, currency=currency[:3] or "–")
        text = (amount.text or "").strip()
        try:
            if _AMOUNT.fullmatch(text):
                return Money.parse(text)
        except BadInput:
            pass
        raise Refused("incomplete", where=f"{where}: Amt")

    def _id(self, element: Element, path: str) -> str | None:
        text = self._words(element, path)[:70]
        return None if text.upper().replace(" ", "") in _NO_REFERENCE else text

    def _words(self, element: Element, path: str) -> str:
        return self._squeezed(self._text(element, path) or "")

    @staticmethod
    def _squeezed(text: str) -> str:
        return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())

    def _required(self, element: Element, path: str) -> str:
        if text := self._words(element, path):
            return text
        raise Refused("incomplete", where=f"{self._where}: {path}")

    def _text(self, element: Element, path: str) -> str | None:
        found = self._one(element, path)
        return None if found is None else (found.text or "").strip()

    def _one(self, element: Element, path: str) -> Element | None:
        return element.find(_path(self._namespace, path))

    def _all(self, element: Element, path: str) -> list[Element]:
        return element.findall(_path(self._namespace, path))
