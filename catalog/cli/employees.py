"""``catalog enroll``, ``verify``, ``evaluate`` and ``audit``: is this the person who was enrolled under this id?"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.resources import Resources, open_resources
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.cli.people_forget import stamp
from catalog.domain.errors import CheckRefused, UsageError
from catalog.identities.matching.error_rates import Evaluation
from catalog.identities.matching.error_rates import evaluate as measure
from catalog.identities.matching.verification_log import AuditRow, check_chain, read_audit
from catalog.identities.matching.verify_employee import (
    ACCEPT,
    REFUSE,
    Verification,
    VerificationVerdict,
    enroll_employee,
    remove_employee,
    verify_employee,
)

EmployeeId = Annotated[str, typer.Argument(metavar="ID", help="Your own id of the person.")]
Accept = Annotated[float, typer.Option("--accept", min=0, max=100, help="Similarity from which a photo is accepted.")]
Refuse = Annotated[float, typer.Option("--refuse", min=0, max=100, help="Similarity below which it is refused.")]


def enroll(
    employee: EmployeeId,
    photos: Annotated[list[Path] | None, typer.Argument(metavar="PHOTO...", help="Reference photos.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the person instead.")] = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Enroll a person for verification; a photo that is not good enough is refused with its reasons (exit code 9)."""
    with open_resources(config, database, verbose, {"engine.name": engine}, begins=True) as catalog:
        if remove:
            if photos:
                raise UsageError("--remove takes no photos: it forgets the person.")
            with catalog.database.begin() as connection:
                entries = remove_employee(connection, employee, stamp())
            typer.echo(f"{employee} is forgotten; {_entries(entries)} of the audit log lost the content.")
            return
        if not photos:
            raise UsageError("There is no photo to enroll.")
        opened = [catalog.open_file(path) for path in photos]
        flaws = enroll_employee(
            catalog.database,
            catalog.engine,
            employee,
            opened,
            stamp(),
            open_photo=catalog.open_photo,
            region=catalog.region,
        )
    for path, found in zip(photos, flaws, strict=True):
        typer.echo(f"{path}: {'enrolled' if not found else 'refused. ' + ' '.join(found)}")
    refused = sum(bool(found) for found in flaws)
    if refused:
        raise CheckRefused(f"{refused} of {len(photos)} photos were refused.")


def verify(
    employee: Annotated[str | None, typer.Argument(metavar="[ID]", help="Your own id of the person.")] = None,
    photo: Annotated[Path | None, typer.Argument(metavar="[PHOTO]", help="A photo of whoever claims to be it.")] = None,
    batch: Annotated[
        Path | None, typer.Option("--csv", help="Many at once: a file with the columns id, photo.")
    ] = None,
    accept: Accept = ACCEPT,
    refuse: Refuse = REFUSE,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Say whether a photo shows the person enrolled under an id; exit code 9 unless every answer is yes."""
    if refuse > accept:
        raise UsageError("--refuse is above --accept.")
    claims = _claims(employee, photo, batch)
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        answers: list[Verification | UsageError] = []
        for claim, path in claims:
            try:
                answers.append(_verify(catalog, claim, path, accept, refuse))
            except UsageError as error:  # a photo that is gone or shows nobody, an id that nobody has
                if batch is None:
                    raise
                answers.append(error)
    told = list(zip(answers, claims, strict=True))
    if as_json:
        rows = [_answer_json(answer, *claim) for answer, claim in told]
        typer.echo(json.dumps(rows if batch else rows[0], ensure_ascii=False, indent=2))
    else:
        for answer, claimed in told:
            typer.echo(_answer_line(answer, *claimed))
    no = sum(isinstance(answer, UsageError) or answer.verdict is not VerificationVerdict.ACCEPTED for answer in answers)
    if no:
        raise CheckRefused(f"{no} of {len(answers)} not accepted.")


def _claims(employee: str | None, photo: Path | None, batch: Path | None) -> list[tuple[str, Path]]:
    if batch is None:
        if employee is None or photo is None:
            raise UsageError("Give an id and a photo, or --csv FILE.")
        return [(employee, photo)]
    if employee is not None:
        raise UsageError("Give an id and a photo, or --csv FILE, not both.")
    try:
        with batch.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not {"id", "photo"} <= set(reader.fieldnames or ()):
                raise _no_claims(batch)
            claims = [_claim(row, reader.line_num, batch) for row in reader]
    except OSError as error:
        raise UsageError(f'The file "{batch}" cannot be read: {error.strerror}.') from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_claims(batch) from error
    if not claims:
        raise UsageError(f'There is no claim in "{batch}".')
    return claims


def _claim(row: Mapping[str, str | None], line: int, batch: Path) -> tuple[str, Path]:
    """One row of a file of claims; a short row has None in the columns that it lacks."""
    claim, photo = row["id"], row["photo"]
    if not photo or not photo.strip():
        raise UsageError(f'Line {line} of "{batch}" has no photo.')
    if not claim or not claim.strip():
        raise UsageError(f'Line {line} of "{batch}" has no id.')
    return claim, batch.parent / photo


def _no_claims(batch: Path) -> UsageError:
    return UsageError(f'"{batch}" is not a CSV file with the columns id and photo.')


def _verify(catalog: Resources, claim: str, path: Path, accept: float, refuse: float) -> Verification:
    return verify_employee(
        catalog.database,
        catalog.engine,
        catalog.open_photo,
        claim,
        catalog.open_file(path),
        stamp(),
        accept=accept,
        refuse=refuse,
        region=catalog.region,
    )


def _answer_json(answer: Verification | UsageError, claim: str, path: Path) -> dict[str, object]:
    if isinstance(answer, UsageError):
        nothing = dict.fromkeys(("similarity", "threshold", "false_match_rate", "audit_entry"))
        return {"id": claim, "photo": str(path), "verdict": "failed", "reasons": [str(answer)], **nothing}
    return {
        "id": answer.employee_id,
        "photo": str(path),
        "verdict": answer.verdict.value,
        "similarity": answer.similarity,
        "threshold": answer.threshold,
        "false_match_rate": answer.false_match_rate,
        "reasons": list(answer.reasons),
        "audit_entry": answer.entry,
    }


def _answer_line(answer: Verification | UsageError, claim: str, path: Path) -> str:
    if isinstance(answer, UsageError):
        return f"{path}: failed as {claim}; {answer}"
    alike = "no similarity" if answer.similarity is None else f"similarity {answer.similarity:.2f}"
    rate = f"1 stranger in {1 / answer.false_match_rate:,.0f} reaches {answer.threshold:g}"
    return (
        f"{path}: {answer.verdict.value} as {answer.employee_id}; {alike}; {rate}. {' '.join(answer.reasons)}".rstrip()
    )


def evaluate(
    named: Annotated[
        bool, typer.Option("--named", help="Use all faces of people with a name, not only confirmed ones.")
    ] = False,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Measure false-match and false-non-match rates on your own confirmed faces, and recommend thresholds."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        gallery = catalog.settings.engine.gallery
        found = measure(catalog.database, catalog.engine, catalog.rules.seed_faces, gallery=gallery, named=named)
    if as_json:
        typer.echo(json.dumps(_evaluation_json(found), indent=2))
        return
    typer.echo(
        f"{found.faces:,} faces of {found.people:,} people: {found.genuine:,} pairs of one person, "
        f"{found.impostor:,} of two"
    )
    typer.echo("threshold  strangers that match  own photos missed")
    for rate in found.rates:
        typer.echo(f"{rate.threshold:9g}  {rate.false_match:21.6%}  {rate.false_non_match:17.2%}")
    for each in found.recommended:
        wanted = f"at most 1 stranger in {1 / each.wanted:,.0f}"
        if each.threshold is None or each.false_non_match is None:
            typer.echo(f"{wanted}: too few pairs of strangers to tell")
        else:
            typer.echo(f"{wanted}: threshold {each.threshold:.3f}, missing {each.false_non_match:.2%}")


def _evaluation_json(found: Evaluation) -> dict[str, object]:
    return {
        "faces": found.faces,
        "people": found.people,
        "genuine_pairs": found.genuine,
        "impostor_pairs": found.impostor,
        "rates": [
            {
                "threshold": rate.threshold,
                "false_match_rate": rate.false_match,
                "false_non_match_rate": rate.false_non_match,
            }
            for rate in found.rates
        ],
        "recommended": [
            {"false_match_rate": each.wanted, "threshold": each.threshold, "false_non_match_rate": each.false_non_match}
            for each in found.recommended
        ],
    }


def audit(
    expect: Annotated[str | None, typer.Option("--expect", help="A digest noted earlier, which must be in it.")] = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Print the log of verifications and check that nobody changed it; exit code 9 when somebody did."""
    with (
        open_resources(config, database, verbose) as catalog,
        catalog.existing_database() as existing,
        existing.read() as connection,
    ):
        rows = list(read_audit(connection))
        checked = check_chain(connection, expected_head=expect)
    for row in rows:
        typer.echo(_audit_line(row, as_json))
    sys.stdout.flush()
    if checked.broken is not None:
        raise CheckRefused(f"The audit log was changed at entry {checked.broken}.")
    typer.echo(f"{_entries(checked.rows)}, unbroken. Last digest: {checked.head}", err=True)


def _entries(number: int) -> str:
    return f"{number:,} entr{'y' if number == 1 else 'ies'}"


def _audit_line(row: AuditRow, as_json: bool) -> str:
    if as_json:
        told = {"entry": row.number, "at": row.at, "content": row.content, "chain": row.chain}
        return json.dumps(told, ensure_ascii=False)
    content = row.content or {}
    verdict = content.get("verdict") or content.get("what") or "forgotten"
    return f"{row.number:6}  {row.at[:19]}  {verdict:12}  {content.get('employee_id', '')}"
