"""``catalog verify``, ``evaluate`` and ``audit``: verify that a photo shows an enrolled employee."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog import CheckRefused, UsageError
from catalog.cli.claims_file import read_claims
from catalog.cli.formatting import path_text
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.domain.recommended_thresholds import ACCEPT, REFUSE
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from catalog import AuditRow, Evaluation, Verification

Accept = Annotated[float, typer.Option("--accept", min=0, max=100, help="Accept a photo from this similarity.")]
Refuse = Annotated[float, typer.Option("--refuse", min=0, max=100, help="Refuse a photo below this similarity.")]


def verify(
    employee: Annotated[str | None, typer.Argument(metavar="[ID]", help="The employee's id in your system.")] = None,
    photo: Annotated[Path | None, typer.Argument(metavar="[PHOTO]", help="The photo to verify.")] = None,
    batch: Annotated[
        Path | None, typer.Option("--csv", help="Verify many photos: a file with the columns id, photo.")
    ] = None,
    accept: Accept = ACCEPT,
    refuse: Refuse = REFUSE,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Verify that a photo shows the employee enrolled under an id. Exit code 9 unless every photo is accepted.

    There is no liveness check: a printed photo or a screen that shows the employee passes. Take the photo with a camera
    that a person watches, or ask for a second factor, such as a badge with a PIN.

    Strangers are not equally alike in every group of people. The answer states the rate of the worst measured group
    beside the rate over all people. With the local engine, --accept 99.5 keeps it below 1 in 1,000 in every measured
    group.
    """
    if refuse > accept:
        raise UsageError("--refuse is above --accept.")
    claims = _claims(employee, photo, batch)
    answers: list[Verification | UsageError] = []
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        for claim, path in claims:
            try:
                answers.append(catalog.employees.verify(claim, path, accept=accept, refuse=refuse))
            except UsageError as error:  # an unreadable photo, no face, an unknown id
                if batch is None:
                    raise
                answers.append(error)
    if as_json:
        rows = [_answer_json(answer, *claim) for answer, claim in zip(answers, claims, strict=True)]
        typer.echo(json.dumps(rows if batch else rows[0], ensure_ascii=False, indent=2))
    else:
        for answer, claim_of_photo in zip(answers, claims, strict=True):
            typer.echo(_answer_line(answer, *claim_of_photo))
    refused = sum(isinstance(answer, UsageError) or not answer.is_accepted for answer in answers)
    if refused:
        raise CheckRefused(f"{refused} of {len(answers)} not accepted.")


def _claims(employee: str | None, photo: Path | None, batch: Path | None) -> list[tuple[str, Path]]:
    """The pairs of id and photo to verify. Raises UsageError."""
    if batch is None:
        if employee is None or photo is None:
            raise UsageError("Give an id and a photo, or --csv FILE.")
        return [(employee, photo)]
    if employee is not None:
        raise UsageError("Give an id and a photo, or --csv FILE, not both.")
    return read_claims(batch)


_NULLABLE = ("similarity", "threshold", "false_match_rate", "worst_group", "worst_group_false_match_rate")
"""Keys that are null in the JSON of a photo that could not be compared."""


def _answer_json(answer: Verification | UsageError, claim: str, path: Path) -> dict[str, object]:
    if isinstance(answer, UsageError):
        empty = dict.fromkeys(_NULLABLE)
        failed = {"id": claim, "photo": str(path), "verdict": "failed", "reasons": [str(answer)]}
        return {**failed, **empty, "audit_entry": answer.audit_entry}
    return {
        "id": answer.employee_id,
        "photo": str(path),
        "verdict": answer.verdict.value,
        "similarity": answer.similarity,
        "threshold": answer.threshold,
        "false_match_rate": answer.false_match_rate,
        "worst_group": answer.worst_group,
        "worst_group_false_match_rate": answer.worst_group_rate,
        "reasons": list(answer.reasons),
        "audit_entry": answer.entry,
    }


def _answer_line(answer: Verification | UsageError, claim: str, path: Path) -> str:
    if isinstance(answer, UsageError):
        return f"{path_text(path)}: failed as {display_name(claim)}; {answer}"
    similarity = "no similarity" if answer.similarity is None else f"similarity {answer.similarity:.2f}"
    rate = f"1 other person in {1 / answer.false_match_rate:,.0f} reaches {answer.threshold:g}"
    if answer.worst_group_rate is not None:
        rate += f" (among {answer.worst_group} up to 1 in {1 / answer.worst_group_rate:,.0f})"
    reasons = " ".join(answer.reasons)
    link = "if this is" if answer.verdict.value == "cannot tell" else "as"
    verdict = f"{answer.verdict.value} {link} {display_name(answer.employee_id)}"
    return f"{path_text(path)}: {verdict}; {similarity}; {rate}. {reasons}".rstrip()


def evaluate(
    named: Annotated[
        bool, typer.Option("--named", help="Use all faces of named persons, not only confirmed ones.")
    ] = False,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Measure false-match and false-non-match rates on your own confirmed faces, and recommend thresholds."""
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        evaluation = catalog.employees.error_rates(named=named)
    if as_json:
        typer.echo(json.dumps(_evaluation_json(evaluation), indent=2))
        return
    typer.echo(
        f"{evaluation.faces:,} faces of {evaluation.people:,} persons: {evaluation.genuine:,} pairs of one person, "
        f"{evaluation.impostor:,} of two"
    )
    typer.echo("threshold  false match rate       false non-match  false match rate of the worst group")
    for index, rate in enumerate(evaluation.rates):
        shown = _worst_group_text(evaluation, index)
        typer.echo(f"{rate.threshold:9g}  {rate.false_match:16.6%}  {rate.false_non_match:20.2%}  {shown}")
    for advice in evaluation.recommended:
        rate_text = f"at most 1 false match in {1 / advice.wanted:,.0f}"
        if advice.threshold is None or advice.false_non_match is None:
            typer.echo(f"{rate_text}: too few pairs of two persons to measure")
        else:
            line = f"{rate_text}: threshold {advice.threshold:.3f}, missing {advice.false_non_match:.2%}"
            if advice.worst_group_threshold is None:
                typer.echo(f"{line}; by group: too few pairs to measure")
            else:
                typer.echo(f"{line}; in every group: threshold {advice.worst_group_threshold:.3f}")


def _worst_group_text(evaluation: Evaluation, index: int) -> str:
    worst = max(evaluation.groups, key=lambda group: group.false_match[index], default=None)
    if worst is None:
        return "no group has enough pairs"
    return f"{worst.false_match[index]:.6%} ({worst.group}, {worst.impostor:,} pairs)"


def _evaluation_json(evaluation: Evaluation) -> dict[str, object]:
    return {
        "faces": evaluation.faces,
        "people": evaluation.people,
        "genuine_pairs": evaluation.genuine,
        "impostor_pairs": evaluation.impostor,
        "rates": [
            {
                "threshold": rate.threshold,
                "false_match_rate": rate.false_match,
                "false_non_match_rate": rate.false_non_match,
            }
            for rate in evaluation.rates
        ],
        "recommended": [
            {
                "false_match_rate": advice.wanted,
                "threshold": advice.threshold,
                "false_non_match_rate": advice.false_non_match,
                "worst_group_threshold": advice.worst_group_threshold,
            }
            for advice in evaluation.recommended
        ],
        "groups": [
            {
                "group": group.group,
                "faces": group.faces,
                "impostor_pairs": group.impostor,
                "rates": [
                    {"threshold": rate.threshold, "false_match_rate": false_match}
                    for rate, false_match in zip(evaluation.rates, group.false_match, strict=True)
                ],
            }
            for group in evaluation.groups
        ],
    }


def audit(
    expect: Annotated[
        str | None, typer.Option("--expect", help="A digest noted earlier; it must be part of the log.")
    ] = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Print the verification log and check its chain. Exit code 9 if an entry was changed."""
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        audited = catalog.employees.audit(expect)
    for row in audited.rows:
        typer.echo(_audit_line(row, as_json))
    sys.stdout.flush()
    if audited.broken is not None and audited.broken > len(audited.rows):  # no entry is changed
        raise CheckRefused(f'The verification log does not contain the digest "{expect}".')
    if audited.broken is not None:
        raise CheckRefused(f"The verification log was changed at entry {audited.broken}.")
    typer.echo(f"{_entries(len(audited.rows))}, unbroken. Last digest: {audited.head}", err=True)


def _entries(number: int) -> str:
    return f"{number:,} entr{'y' if number == 1 else 'ies'}"


def _audit_line(row: AuditRow, as_json: bool) -> str:
    if as_json:
        fields = {"entry": row.number, "at": row.logged_at, "content": row.content, "chain": row.chain}
        return json.dumps(fields, ensure_ascii=False)
    content = row.content or {}
    event = "forgotten" if row.content is None else str(content.get("what") or "damaged")
    photo = str(content.get("photo_sha256") or "")[:12]
    verdict, claimed = str(content.get("verdict") or ""), display_name(str(content.get("employee_id") or ""))
    return f"{row.number:6}  {row.logged_at[:19]}  {event:9}  {verdict:11}  {photo:12}  {claimed}".rstrip()
