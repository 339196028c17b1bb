"""Fenghuo itself in the same table: a command that measures and prints one JSON object."""

import json
from pathlib import Path

from driver import Broken
from driver.peer import Run
from driver.process import Child


class Fenghuo:
    """`per_second`, `residents`, `duplicates` and `lost` are what the object must say, `versions` what it may."""

    name = "Fenghuo"

    def __init__(self, command: str, recipients: int, providers: Path):
        self.command, self.recipients, self.versions = command, recipients, {}
        self.environment = {"PEER_RECIPIENTS": str(recipients), "PEER_PROVIDERS": str(providers)}

    def measure(self, _database, simulator, timeout_s: float) -> Run:
        simulator.reset()
        child = Child(self.name, ["bash", "-c", self.command], env=self.environment)
        try:
            said = child.wait_for_end(timeout_s)
        finally:
            child.stop()
        try:
            told = json.loads(said[said.index("{") :])
            measured = Run(told["residents"], told["residents"] / told["per_second"], told["lost"], told["duplicates"])
        except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            raise Broken(f"{self.name} printed no object with per_second, residents, duplicates and lost: {said[-400:]!r}") from error
        self.versions = told.get("versions", {})
        if measured.recipients != self.recipients:
            raise Broken(f"{self.name} measured {measured.recipients} residents, not the {self.recipients} of the others")
        if measured.lost or measured.duplicates:
            raise Broken(f"{self.name}: {measured.lost} lost, {measured.duplicates} duplicates")
        return measured
