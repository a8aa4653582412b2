"""Nothing small becomes large: each bomb gets 50 MB and a second of the processor, and the process ends when it takes more."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_no_bomb_takes_more_than_a_second_and_fifty_megabytes():
    path = os.pathsep.join([str(HERE), str(HERE.parent)])
    run = subprocess.run(
        [sys.executable, HERE / "bombs.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert run.returncode == 0, run.stderr[-2000:]
    told = json.loads(run.stdout)
    assert len(told) > 30
    for name, (with_trust, without) in told.items():
        if name.startswith("signed"):
            assert (with_trust, without) == ("verified", "unverified"), name
        else:
            assert with_trust.startswith("refused: "), (name, with_trust)
            assert without == "unverified" or without.startswith("refused: "), (name, without)
    for name in ("a billion laughs", "a billion laughs, deflated", "quadratic", "parameters"):
        assert "a document type or an entity is declared" in told[name][0]
