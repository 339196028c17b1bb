"""What was measured, as a table and as one object."""

import os
from dataclasses import dataclass, field
from statistics import median

from driver.peer import Run


@dataclass
class Row:
    """One peer's runs."""

    name: str
    versions: dict[str, str]
    runs: list[Run] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def as_object(self) -> dict:
        runs = [vars(run) | {"per_second": round(run.per_second, 1)} for run in self.runs]
        rates = [run.per_second for run in self.runs]
        return {
            "name": self.name,
            "versions": self.versions,
            "per_second": round(median(rates), 1) if rates else None,
            "seconds": round(median(run.seconds for run in self.runs), 3) if rates else None,
            "lost": sum(run.lost for run in self.runs),
            "duplicates": sum(run.duplicates for run in self.runs),
            "runs": runs,
            "errors": self.errors,
        }

    def cells(self) -> list[str]:
        versions = " ".join(f"{name} {version}" for name, version in self.versions.items())
        if not self.runs:
            return [self.name, versions, "", "", "error", "", "", ""]
        rates = sorted(run.per_second for run in self.runs)
        failed = f" ({len(self.errors)} of {len(self.errors) + len(self.runs)} runs failed)" if self.errors else ""
        return [
            self.name + failed,
            versions,
            f"{self.runs[0].recipients:,}",
            f"{median(run.seconds for run in self.runs):.1f}",
            f"{median(rates):,.0f}",
            f"{rates[0]:,.0f}–{rates[-1]:,.0f}",
            str(sum(run.lost for run in self.runs)),
            str(sum(run.duplicates for run in self.runs)),
        ]


HEADINGS = ["peer", "versions", "recipients", "seconds", "recipients/s", "slowest–fastest", "lost", "duplicates"]


def machine() -> dict:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gib": round(memory / 2**30), "load": round(os.getloadavg()[0], 2)}


def table(rows: list[Row], runs: int, about: dict) -> str:
    """Medians of all runs, right-aligned but for the names."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]

    def written(line: list[str]) -> str:
        cells = [cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        return "  ".join(cells).rstrip()

    found = ", ".join(f"{name} {value}" for name, value in about.items())
    head = [f"{found}; median of {runs} run{'s' if runs != 1 else ''}", "", written(HEADINGS), "  ".join("─" * width for width in widths)]
    return "\n".join([*head, *(written(row.cells()) for row in rows)])
