"""Conventions of the project, checked on dbt's manifest and on the relations that the build left."""

import fnmatch
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot import exp
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from conventions.conftest import PROJECT_DIR, TestedBuild, layer
from warehouse.building.kept_rows import code_files, table_of_rows
from warehouse.contract import CONTRACT_FILES, entities

# Exceptions to the rules are data: the model, and why the rule does not fit it.
READS_THE_CLOCK = {"mart_run": "says when the run was"}
STAGING_BEHIND_INTERMEDIATE = {
    "load_reconciliation": "counts the rows that landing refused, which no row model holds",
    "quarantined_rows": "lists the rows that landing refused, which no row model holds",
}
NO_GRAIN_TEST: dict[str, str] = {}
KEEPS_ROWS = "macro.retention_warehouse.kept_rows_config"
# Marts that stay empty unless the var published_personal_data allows them.
HELD_BACK = {
    ("survey_comments", "comment"),
    ("account_contacts", "full_name"),
    ("account_contacts", "contact_id"),
}

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "integer": "INTEGER",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
CLOCKS = re.compile(
    r"\b(current_date|current_timestamp|current_time|now\s*\(|today\s*\(|getdate|localtimestamp|get_current_timestamp"
    r"|run_started_at|sysdate|random\s*\(|uuid\s*\()",
    re.IGNORECASE,
)
MODEL_NAME = {
    "staging": re.compile(r"stg_(?P<folder>[a-z]+)__[a-z0-9_]+"),
    "intermediate": re.compile(r"int_[a-z0-9_]+"),
    "marts": re.compile(r"[a-z][a-z0-9_]+"),
}
COLUMN_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
GRAIN_TESTS = {"unique_grain", "one_row"}
# The models that hold the rows of an entity as they were delivered.
ROWS_OF = {table: name for name in entities() for table in (f"int_rows__{name}", table_of_rows(name))}


def relation_columns(build: TestedBuild, node: dict[str, Any]) -> list[tuple[str, str]]:
    return build.columns[node["schema"], node["alias"]]


def duckdb_type(data_type: str) -> str:
    return DUCKDB_TYPES.get(data_type, data_type.replace(", ", ",").upper())


def models_named(models: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(model["name"] for model in models)


def without_comments(sql: str) -> str:
    sql = re.sub(r"\{#.*?#\}", "", sql, flags=re.DOTALL)
    return re.sub(r"--[^\n]*", "", sql)


def test_every_model_is_described(tested_build: TestedBuild) -> None:
    """100 % of the models, in more than a word or two."""
    assert models_named(m for m in tested_build.models if len(m["description"].split()) < 5) == []


def test_every_column_of_every_model_is_described(tested_build: TestedBuild) -> None:
    """100 % of the columns that the relations have, and none that they do not have."""
    problems = []
    for model in tested_build.models:
        described = {name: column["description"] for name, column in model["columns"].items()}
        actual = [name for name, _ in relation_columns(tested_build, model)]
        problems += [f"{model['name']}.{name} is not described" for name in actual if not described.get(name)]
        problems += [f"{model['name']}.{name} does not exist" for name in described if name not in actual]
    assert problems == []


def test_columns_are_described_through_docs_blocks(tested_build: TestedBuild) -> None:
    """A description is written once: YAML only names the block."""
    problems = []
    for path in sorted((PROJECT_DIR / "models").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            for column in model.get("columns", []):
                if not re.fullmatch(r"\{\{ doc\('\w+'\) \}\}", column.get("description", "")):
                    problems.append(f"{path.name}: {model['name']}.{column['name']}")
    assert problems == []


def test_every_docs_block_is_used_and_says_something_new(tested_build: TestedBuild) -> None:
    blocks: dict[str, str] = {}
    for path in sorted((PROJECT_DIR / "models").rglob("*.md")):
        found = re.findall(r"\{% docs (\w+) %\}\n(.*?)\{% enddocs %\}", path.read_text(encoding="utf-8"), re.DOTALL)
        blocks.update(found)
    yaml_text = "\n".join(p.read_text(encoding="utf-8") for p in (PROJECT_DIR / "models").rglob("*.yml"))
    used = set(re.findall(r"doc\('(\w+)'\)", yaml_text))
    assert sorted(set(blocks) - used) == []
    long_texts: dict[str, str] = {}
    copies = []
    for name, text in blocks.items():
        # Short sentences ("True for the outcome won.") may say the same of two things.
        if len(text.split()) > 12 and text in long_texts:
            copies.append((long_texts[text], name))
        long_texts.setdefault(text, name)
    assert copies == []


def test_metrics_state_what_they_are(tested_build: TestedBuild) -> None:
    """A rate says definition, formula, grain, exclusions, an example and its pitfalls; a mart its grain."""
    parts = (
        "**Definition:**",
        "**Formula:**",
        "**Grain:**",
        "**Excluded:**",
        "**Example:**",
        "**Pitfalls:**",
    )
    metrics = {
        ("retention_rate", "retention_rate"),
        ("retention_rate", "textbook_retention_rate"),
        ("retention_rate", "churn_rate"),
        ("revenue_retention", "gross_revenue_retention"),
        ("revenue_retention", "net_revenue_retention"),
        ("revenue_retention", "quick_ratio"),
        ("churn_cohorts", "retention_rate"),
        ("churn_survival", "survival"),
        ("funnel_conversion", "conversion_rate"),
        ("funnel_conversion", "overall_conversion_rate"),
        ("funnel_conversion", "median_days_in_stage"),
        ("funnel_conversion", "value_lost"),
        ("sales_performance", "win_rate"),
        ("sales_performance", "strict_win_rate"),
        ("sales_performance", "value_win_rate"),
        ("sales_performance", "pipeline_velocity_per_day"),
        ("nps", "nps"),
        ("nps", "response_rate"),
        ("customer_lifetime_value", "historical_value"),
        ("customer_lifetime_value", "residual_value"),
        ("customer_lifetime_value", "lifetime_value"),
        ("customer_lifetime_value", "mean_order_value"),
        ("repeat_purchase_rate", "repeat_purchase_rate"),
        ("mart_run", "inactivity_days"),
    }
    marts = {mart["name"]: mart for mart in tested_build.marts}
    problems = []
    for mart, column in sorted(metrics):
        text = marts[mart]["columns"][column]["description"]
        problems += [f"{mart}.{column} lacks {part}" for part in parts if part not in text]
    for name, mart in sorted(marts.items()):
        needed = [part for part in ("**Grain:**", "**Example:**", "**Pitfall") if part not in mart["description"]]
        problems += [f"{name} lacks {part}" for part in needed]
    assert problems == []


def test_every_seed_and_its_columns_are_described(tested_build: TestedBuild) -> None:
    problems = []
    for seed in tested_build.of_type("seed"):
        if not seed["description"]:
            problems.append(seed["name"])
        problems += [f"{seed['name']}.{n}" for n, column in seed["columns"].items() if not column["description"]]
    assert problems == []


def test_seed_types_are_those_of_the_contract(tested_build: TestedBuild) -> None:
    """Every canonical column has a type, so that dbt never guesses one; beside them only the address."""
    seeds = {seed["name"]: seed for seed in tested_build.of_type("seed")}
    assert sorted(seeds) == sorted(entity.seed for entity in entities().values())
    for entity in entities().values():
        typed = list(seeds[entity.seed]["config"]["column_types"])
        address = [] if entity.is_reference else ["load_id", "line_number"]
        assert typed == [*entity.column_names, *address], entity.name
        assert list(seeds[entity.seed]["columns"]) == list(entity.column_names), entity.name


def test_the_macros_name_the_entities_of_the_contract(tested_build: TestedBuild) -> None:
    """In their order, and each with its staging model and its rows."""
    names = {}
    for kind in ("raw_entities", "reference_entities"):
        macro = tested_build.manifest["macros"][f"macro.retention_warehouse.{kind}"]
        names[kind] = re.findall(r"'(\w+)'", macro["macro_sql"])
    assert names["raw_entities"] == [entity.name for entity in entities().values() if not entity.is_reference]
    assert sorted(names["reference_entities"]) == sorted(e.name for e in entities().values() if e.is_reference)
    models = {model["name"] for model in tested_build.models}
    staged = {name.split("__")[1] for name in models if name.startswith("stg_") and not name.startswith("stg_landing")}
    rows = {name.split("__")[1] for name in models if name.startswith("int_rows__")}
    assert staged == rows == set(entities())


def test_rows_carry_the_columns_that_models_read_and_no_others(tested_build: TestedBuild) -> None:
    """`modelled` of the input contract says which these are."""
    read = columns_read_of_rows(tested_build)
    seeds = {seed["name"]: seed for seed in tested_build.of_type("seed")}
    problems = []
    for entity in entities().values():
        rows = f"int_rows__{entity.name}"
        carried = {name for name, _ in tested_build.columns["intermediate", rows]}
        for name in entity.column_names:
            is_modelled = seeds[entity.seed]["columns"][name]["config"]["meta"].get("modelled", True)
            holds_rate = "exchange_rate" in carried and (name == "currency" or f"reporting_{name}" in carried)
            is_needed = name in entity.key or holds_rate or name in read[entity.name]
            if is_modelled != is_needed:
                problems.append(f"{entity.name}.{name} is {'read by no model' if is_modelled else 'read'}")
            if is_modelled != (name in carried):
                problems.append(f"{rows}.{name} is {'not carried' if is_modelled else 'carried'}")
    assert problems == []


def columns_read_of_rows(build: TestedBuild) -> dict[str, set[str]]:
    """Return by entity the columns of its rows that further models need for anything of theirs."""
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for (schema_name, relation), columns in build.columns.items():
        schema.setdefault(schema_name, {})[relation] = dict(columns)
    read: dict[str, set[str]] = {entity: set() for entity in entities()}
    for model in build.models:
        if layer(model) == "staging" or model["language"] != "sql" or model["name"] in ROWS_OF:
            continue
        if not any(parent.split(".")[-1] in ROWS_OF for parent in model["depends_on"]["nodes"]):
            continue
        query = qualify(
            sqlglot.parse_one(model["compiled_code"], dialect="duckdb"),
            schema={"build": schema, "marts_file": schema},
            dialect="duckdb",
        )
        for scope in traverse_scope(pushdown_projections(query)):
            for column in scope.columns:
                source = scope.sources.get(column.table)
                if isinstance(source, exp.Table) and source.name in ROWS_OF:
                    read[ROWS_OF[source.name]].add(column.name)
    return read


def test_names_follow_the_conventions(tested_build: TestedBuild) -> None:
    problems = []
    for model in tested_build.models:
        found = MODEL_NAME[layer(model)].fullmatch(model["name"])
        folder = Path(model["original_file_path"]).parts[2]
        if not found or re.search(r"_v\d+$", model["name"]):
            problems.append(model["name"])
        elif layer(model) == "staging" and found["folder"] != folder:
            problems.append(f"{model['name']} stands in {folder}")
        elif layer(model) == "marts" and model["name"].startswith(("stg_", "int_")):
            problems.append(model["name"])
        for column, data_type in relation_columns(tested_build, model):
            where = f"{model['name']}.{column}"
            if not COLUMN_NAME.fullmatch(column):
                problems.append(where)
            if data_type == "BOOLEAN" and layer(model) == "marts" and not column.startswith(("is_", "has_")):
                problems.append(f"{where} is a boolean")
            if column.startswith(("is_", "has_")) and data_type != "BOOLEAN":
                problems.append(f"{where} is no boolean")
            if data_type == "TIMESTAMP" and not column.endswith("_at"):
                problems.append(f"{where} is an instant")
            if column.endswith("_rate") and layer(model) == "marts" and data_type != "DOUBLE":
                problems.append(f"{where} is no fraction")
    assert problems == []


def test_yaml_stands_where_it_is_looked_for(tested_build: TestedBuild) -> None:
    """One YAML file beside each mart, one per folder of the other layers."""
    problems = []
    for model in tested_build.models:
        path = Path(model["original_file_path"])
        expected = (
            path.with_suffix(".yml") if layer(model) == "marts" else path.parent / f"_{path.parent.name}__models.yml"
        )
        if (model["patch_path"] or "").split("://")[-1] != expected.as_posix():
            problems.append(model["name"])
    assert problems == []


def test_every_model_opens_with_its_grain(tested_build: TestedBuild) -> None:
    problems = []
    for model in tested_build.models:
        first = (PROJECT_DIR / model["original_file_path"]).read_text(encoding="utf-8").splitlines()[0]
        if not re.match(r'(-- |""")One row( per|:)', first):
            problems.append(model["name"])
    assert problems == []


def test_every_table_has_a_grain_test(tested_build: TestedBuild) -> None:
    """Tables, because a test of a view reads everything again; staging is tested on the tables behind it.

    A test that proves the grain of others says whose: `proves_grain_of: 'int_orders: one row per order'`.
    """
    grained: set[str] = set()
    problems = []
    for test in tested_build.of_type("test"):
        metadata = test.get("test_metadata") or {}
        if metadata.get("name") in GRAIN_TESTS:
            grained.add(test["attached_node"])
        elif proved := test["config"]["meta"].get("proves_grain_of"):
            read = {tested_build.nodes[node]["name"]: node for node in test["depends_on"]["nodes"]}
            for pattern in proved.partition(":")[0].split(","):
                named = fnmatch.filter(read, pattern.strip())
                grained |= {read[name] for name in named}
                problems += [] if named else [f"{test['name']} reads no {pattern.strip()}"]
    tables = [m for m in tested_build.models if m["config"]["materialized"] != "view"]
    assert models_named(m for m in tables if m["unique_id"] not in grained and m["name"] not in NO_GRAIN_TEST) == []
    assert problems == []


def test_no_test_reads_a_view(tested_build: TestedBuild) -> None:
    views = {m["unique_id"] for m in tested_build.models if m["config"]["materialized"] == "view"}
    tests = tested_build.of_type("test")
    assert models_named(test for test in tests if views & set(test["depends_on"]["nodes"])) == []


def test_failing_rows_are_stored_where_the_call_says_so_and_nowhere_else(tested_build: TestedBuild) -> None:
    """A setting of the project, even false, would overrule `--store-failures`."""
    tests = tested_build.of_type("test")
    assert models_named(test for test in tests if test["config"]["store_failures"] is not None) == []
    assert not [schema for schema, _ in tested_build.columns if "audit" in schema]


def test_every_data_test_passed_and_is_an_error(tested_build: TestedBuild) -> None:
    results = [r for r in tested_build.run_results["results"] if r["unique_id"].startswith("test.")]
    tests = list(tested_build.of_type("test"))
    assert len(results) == len(tests)
    assert [r["unique_id"] for r in results if r["status"] != "pass"] == []
    assert models_named(test for test in tests if test["config"]["severity"].lower() != "error") == []


def test_unit_tests_of_as_of_hold_whatever_as_of_is_passed(tested_build: TestedBuild) -> None:
    """`dbt build --vars '{as_of: …}'` runs the unit tests too."""
    unit_tests = [each for each in tested_build.manifest["unit_tests"].values() if each["model"] == "int_as_of"]
    assert len(unit_tests) > 5
    assert [each["name"] for each in unit_tests if "as_of" not in (each["overrides"] or {}).get("vars", {})] == []


def test_singular_tests_mirror_the_models(tested_build: TestedBuild) -> None:
    """A data test stands in the folder of a model that it reads."""
    folders = {m["unique_id"]: Path(m["original_file_path"]).parent.parts[1:] for m in tested_build.models}
    problems = []
    for test in tested_build.of_type("test"):
        if test.get("test_metadata"):
            continue
        folder = Path(test["original_file_path"]).parent.parts[2:]
        if folder not in {folders[node] for node in test["depends_on"]["nodes"] if node in folders}:
            problems.append(test["name"])
    assert problems == []


def test_no_model_reads_the_clock(tested_build: TestedBuild) -> None:
    """A run is a function of its input and its vars; only `mart_run` says when it was."""
    readers = [m["name"] for m in tested_build.models if CLOCKS.search(without_comments(m["raw_code"]))]
    readers += [m["name"] for m in tested_build.models if CLOCKS.search(without_comments(m["compiled_code"] or ""))]
    assert sorted(set(readers) - set(READS_THE_CLOCK)) == []
    macros = [
        macro["name"]
        for macro in tested_build.manifest["macros"].values()
        if macro["package_name"] == "retention_warehouse" and CLOCKS.search(without_comments(macro["macro_sql"]))
    ]
    assert macros == []


def test_data_flows_one_way(tested_build: TestedBuild) -> None:
    """seeds → staging → intermediate → marts."""
    nodes = tested_build.nodes
    allowed = {
        "staging": {"seed"},
        "intermediate": {"staging", "intermediate"},
        "marts": {"intermediate", "marts"},
    }
    problems = []
    for model in tested_build.models:
        for key in model["depends_on"]["nodes"]:
            parent = nodes[key]
            kind = "seed" if parent["resource_type"] == "seed" else layer(parent)
            if kind in allowed[layer(model)]:
                continue
            if model["name"] in STAGING_BEHIND_INTERMEDIATE and parent["name"].startswith("stg_landing__"):
                continue
            problems.append(f"{model['name']} reads {parent['name']}")
    assert problems == []


def test_access_of_the_layers(tested_build: TestedBuild) -> None:
    """Marts are public and belong to a group; what is before them is protected: for this project only."""
    groups = {group["name"] for group in tested_build.manifest["groups"].values()}
    problems = []
    for model in tested_build.models:
        expected = "public" if layer(model) == "marts" else "protected"
        if model["access"] != expected or model["config"]["access"] != expected:
            problems.append(f"{model['name']} is {model['access']}")
        folder = Path(model["original_file_path"]).parts[2]
        if layer(model) == "marts" and (model["group"] != folder or folder not in groups):
            problems.append(f"{model['name']} is in group {model['group']}")
        if layer(model) != "marts" and model["group"]:
            problems.append(f"{model['name']} is in group {model['group']}")
    assert problems == []


def test_contracts_of_the_marts(tested_build: TestedBuild) -> None:
    """Every mart: an enforced contract whose columns and types are exactly those built, and a primary key."""
    problems = []
    for mart in tested_build.marts:
        if not mart["config"]["contract"]["enforced"]:
            problems.append(f"{mart['name']} has no contract")
        promised = [(name, duckdb_type(c["data_type"] or "")) for name, c in mart["columns"].items()]
        if promised != relation_columns(tested_build, mart):
            problems.append(f"{mart['name']} promises other columns than it has")
        keys = [c["columns"] for c in mart["constraints"] if c["type"] == "primary_key"]
        if len(keys) != 1:
            problems.append(f"{mart['name']} has no primary key")
        else:
            required = [n for n in keys[0] if "not_null" in [c["type"] for c in mart["columns"][n]["constraints"]]]
            if required != keys[0]:
                problems.append(f"{mart['name']} has a key that may be null")
            grains = [
                test["test_metadata"]["kwargs"]["columns"]
                for test in tested_build.of_type("test")
                if test.get("attached_node") == mart["unique_id"] and test["test_metadata"]["name"] == "unique_grain"
            ]
            if grains != keys:
                problems.append(f"{mart['name']} has a key that is not the tested grain")
    assert problems == []


def test_marts_have_the_grain_of_the_interface(tested_build: TestedBuild) -> None:
    """Names and grains that BI tools rely on."""
    grains = {
        "retention_rate": "basis period_type period_start dimension dimension_value",
        "revenue_retention": "period_type period_start dimension dimension_value",
        "churn_dialects": "basis period_type period_start dialect",
        "churn_cohorts": "basis cohort_type cohort_start periods_since_start dimension dimension_value",
        "churn_survival": "basis dimension dimension_value day",
        "churn_reasons": "basis period_type period_start reason",
        "customer_losses": "account_id",
        "customer_lifetime_value": "account_id",
        "clv_models": "model fitted_on parameter",
        "customer_segments": "account_id",
        "revenue_concentration": "period_type period_start",
        "funnel_conversion": "pipeline period_type period_start stage dimension dimension_value",
        "sales_performance": "period_type period_start dimension dimension_value",
        "nps": "survey_type scale period_type period_start wave dimension dimension_value",
        "survey_comments": "response_id",
        "repeat_purchase_rate": "horizon_days cohort_start dimension dimension_value",
        "customer_360": "account_id",
        "account_contacts": "contact_id",
        "value_at_risk": "value_tier risk_tier",
        "backtest": "quantity cut_date horizon_days model",
        "load_reconciliation": "load_id entity file",
        "load_repairs": "load_id entity file repaired_columns",
        "quarantined_rows": "load_id file line_number record_number entity reason",
        "mart_run": "run_id",
    }
    keys = {
        mart["alias"]: " ".join(c["columns"])
        for mart in tested_build.marts
        for c in mart["constraints"]
        if c["type"] == "primary_key"
    }
    assert keys == grains


def test_comments_reach_the_published_file(tested_build: TestedBuild) -> None:
    """persist_docs: a BI tool shows the description of every mart and column from the file itself."""
    with tested_build.connect() as connection:
        described = dict(
            connection.execute(
                "select table_name || '.' || column_name, comment from duckdb_columns() "
                "where database_name = 'marts_file' and schema_name = 'marts'"
            ).fetchall()
        )
        tables = dict(
            connection.execute(
                "select table_name, comment from duckdb_tables() where database_name = 'marts_file'"
            ).fetchall()
        )
    assert sorted(name for name, comment in {**described, **tables}.items() if not comment) == []
    for mart in tested_build.marts:
        assert tables[mart["alias"]] == mart["description"]
        for name, column in mart["columns"].items():
            assert described[f"{mart['alias']}.{name}"] == column["description"]


def test_no_personal_data_in_the_marts(tested_build: TestedBuild) -> None:
    forbidden = {
        "email",
        "comment",
        "full_name",
        "respondent_id",
        "contact_id",
        "customer_key",
        "account_key",
    }
    problems = [
        f"{mart['name']}.{name}"
        for mart in tested_build.marts
        for name, _ in relation_columns(tested_build, mart)
        if name in forbidden and (mart["name"], name) not in HELD_BACK
    ]
    assert problems == []
    with tested_build.connect() as connection:
        for mart in tested_build.marts:
            if mart["name"] in {name for name, _ in HELD_BACK}:
                assert mart["config"]["meta"]["is_held_back"]
                assert connection.execute(f"select count(*) from {mart['relation_name']}").fetchall() == [(0,)]


def test_the_exposure_names_every_mart(tested_build: TestedBuild) -> None:
    """A change of a mart shows what it breaks."""
    exposures = list(tested_build.manifest["exposures"].values())
    used = {node for exposure in exposures for node in exposure["depends_on"]["nodes"]}
    assert models_named(mart for mart in tested_build.marts if mart["unique_id"] not in used) == []
    assert [e["name"] for e in exposures if len(e["description"].split()) < 50 or not e["owner"]["name"]] == []


def test_kept_rows_know_all_the_code_that_makes_them(tested_build: TestedBuild) -> None:
    """Rows are kept from build to build until a file changes that they depend on."""
    known = {path.relative_to(PROJECT_DIR).as_posix() for path in code_files()}
    assert set(CONTRACT_FILES) <= known
    macros = tested_build.manifest["macros"]
    sources = {**tested_build.nodes, **macros}
    keeping = {name for name in macros if KEEPS_ROWS in macros[name]["depends_on"]["macros"]}
    waiting = [m["unique_id"] for m in tested_build.models if keeping.intersection(m["depends_on"]["macros"])]
    assert len(waiting) > 10
    reached: set[str] = set()
    while waiting:
        node = sources[waiting.pop()]
        if node["unique_id"] not in reached and node["package_name"] == "retention_warehouse":
            reached.add(node["unique_id"])
            waiting += [*node["depends_on"].get("nodes", ()), *node["depends_on"]["macros"]]
    # What stands in the raw seeds is built instead of the landing zone, never beside it.
    files = {sources[name]["original_file_path"] for name in reached if not name.startswith("seed.")}
    files |= {path for name in reached if (path := sources[name]["original_file_path"]).startswith("seeds/reference")}
    assert sorted(files - known) == []


def test_every_number_of_a_rule_is_a_var_with_a_comment() -> None:
    """A var without a comment is a number nobody can judge."""
    inside = False
    problems = []
    for line in (PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8").splitlines():
        if re.match(r"\S", line):
            inside = line == "vars:"
        elif inside and re.match(r"  [a-z_]+: *[\d\"]", line) and "#" not in line:
            problems.append(line.strip())
    # The currency, the zone and the horizon of value say what they are by their names.
    named = {"clv_horizon_months", "clv_annual_discount_rate"}
    assert [p for p in problems if p.split(":")[0] not in named] == []
