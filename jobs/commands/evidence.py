"""Evidence of access reviews: export it, and prove it offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import ActorEmail, noun, the_actor, the_house
from jobs.commands.printing import Format, document, printable, say

app = noun("Evidence.")
evidence = noun("The signed evidence of closed access reviews.")
app.add_typer(evidence, name="evidence")


@evidence.command()
def export(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN")],
    into: Annotated[Path | None, typer.Option("--into", metavar="FILE", help="CAMPAIGN.zip if not given.")] = None,
    actor: ActorEmail = None,
) -> None:
    """Build the evidence of a closed campaign; prints the file and the fingerprint of the key that signed it."""
    from governance.access import Verb, demand
    from governance.evidence import public_key, public_key_file
    from governance.evidence.signing import fingerprint
    from jobs.evidence import build_one

    house = the_house()
    demand(the_actor(house, actor), Verb.EXPORT)
    made = build_one(house, campaign, into or Path(f"{campaign}.zip"))
    key = public_key_file(house.home)
    typer.echo(str(made))
    say(f"signed; the public key is {key} ({fingerprint(public_key(key.read_bytes()))})")


@evidence.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="PEM", help="The public key as it was handed over.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.TABLE,
) -> None:
    """Prove that nothing in an evidence file was changed; needs the public key alone, no store and no network."""
    from governance.errors import ConfigurationError
    from governance.evidence import verify as prove

    try:
        pem = key.read_bytes() if key else None
    except OSError as error:
        expected = "expected the public key as it was handed over (PEM)"
        raise ConfigurationError(f"{key}: cannot be read: {error.strerror}; {expected}") from error
    proof = prove(file, pem)
    if format is Format.JSON:
        told = {"ok": proof.ok, "problems": list(proof.problems), "files": proof.files, "key": proof.key}
        document(told | {"trusted": proof.trusted, "manifest": proof.manifest})
    elif proof.ok:
        made = proof.manifest
        title, at = (" ".join(str(made.get(name)).split()) for name in ("title", "made_at"))
        typer.echo(printable(f"{proof.files} files, unchanged: “{title}”, made {at}; key {proof.key}"))
    if proof.ok and not proof.trusted:
        say("the key inside the file was used: give --key with the one you were handed to prove where it comes from")
    if not proof.ok:
        for problem in proof.problems:
            say(problem)
        raise typer.Exit(1)
