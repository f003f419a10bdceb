"""Draws the run as one picture: time against size, and the reduced job by tool."""

from pathlib import Path
from typing import Any

import altair as alt


def draw(results: dict[str, Any], path: Path) -> None:
    """Write the chart as SVG, without a network."""
    growth = [
        {"customers": company["customers"], "seconds": seconds, "job": job}
        for company in results["companies"]
        for job, seconds in (
            ("whole build", company["jobs"]["warehouse build"]["seconds"]),
            ("SQL of the seven marts", company["marts_sql_seconds"]),
            ("yardstick", company["jobs"]["yardstick"]["seconds"]),
        )
    ]
    largest = results["companies"][-1]
    tools = [
        {"tool": name.removeprefix("reduced job: "), "seconds": job["seconds"]}
        for name, job in largest["jobs"].items()
        if name.startswith("reduced job: ")
    ]
    left = (
        alt.Chart(alt.Data(values=growth), title="Seconds by number of customers", width=380, height=260)
        .mark_line(point=True)
        .encode(
            x=alt.X("customers:Q", scale=alt.Scale(type="log"), title="customers"),
            y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds"),
            color=alt.Color("job:N", title=None, legend=alt.Legend(orient="bottom")),
        )
    )
    right = (
        alt.Chart(
            alt.Data(values=tools), title=f"Reduced job, {largest['customers']:,} customers", width=280, height=260
        )
        .mark_bar()
        .encode(x=alt.X("seconds:Q", title="seconds"), y=alt.Y("tool:N", sort="x", title=None))
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    (left | right).save(str(path))
