"""A session of pgcli without a terminal: the queries of its completion, its commands of the \\d family, and what it prints of results."""
import os
import re
import sys
import tempfile
import threading
import types

# pgcli reads a configuration and writes a log where the user lives; neither is any of ours.
os.environ["XDG_CONFIG_HOME"] = os.environ["HOME"] = tempfile.mkdtemp()

import pgcli
from pgcli.completion_refresher import CompletionRefresher
from pgcli.main import PGCli
from prompt_toolkit.document import Document
from prompt_toolkit.output import DummyOutput

from check import EACH_KIND, URI, check, version

sys.argv = sys.argv[:1]
version(pgcli.__version__)
cli = PGCli(single_connection=False)
cli.prompt_app = types.SimpleNamespace(output=DummyOutput())  # stands for the terminal, whose width \\x asks
cli.connect_uri(URI)
completer = None


def refresh():
    """Waits for what pgcli does in the background after it has connected."""
    global completer
    done = threading.Event()

    def keep(c):
        global completer
        completer = c
        done.set()
    CompletionRefresher().refresh(cli.pgexecute, cli.pgspecial, keep, settings=cli.settings)
    if not done.wait(60):
        raise TimeoutError("no completion")


def run(sql):
    """What pgcli prints of a statement, without its colours."""
    out, meta = cli._evaluate_command(sql)
    return [line for block in out for line in re.sub(r"\x1b\[[0-9;]*m", "", block).split("\n")], meta.successful


def complete(text):
    """What is offered where | stands, without the many words that are offered everywhere."""
    offered = {c.text for c in completer.get_completions(Document(text.replace("|", ""), text.index("|")), None)}
    return sorted(c for c in offered if re.match(r"(purchase|email|customer|name|balance|doubled|rich|audit|mood|steps)\b", c) or " = " in c)


x = cli.pgexecute
own = ("public", "other")
for statement in [
    "CREATE SCHEMA other", "CREATE TABLE other.audit (who text, at timestamptz DEFAULT now())", "CREATE MATERIALIZED VIEW rich_stored AS SELECT * FROM rich WITH NO DATA",
    "CREATE FUNCTION doubled(i integer, OUT twice integer) LANGUAGE sql AS 'SELECT i * 2'", "CREATE SEQUENCE steps INCREMENT 5",
]:
    check(statement)(lambda: run(statement))
check("completion: refresh")(refresh)
check("completion: search path")(x.search_path)
check("completion: schemata")(lambda: sorted(x.schemata()))
check("completion: tables")(lambda: sorted(t for t in x.tables() if t[0] in own))
check("completion: views")(lambda: sorted(t for t in x.views() if t[0] in own))
check("completion: columns")(lambda: sorted(map(str, (c for c in x.table_columns() if c[0] in own))))
check("completion: columns of views")(lambda: sorted(map(str, (c for c in x.view_columns() if c[0] in own))))
check("completion: foreign keys")(lambda: sorted(map(str, x.foreignkeys())))
check("completion: functions")(lambda: sorted(str(vars(f)) for f in x.functions() if f.schema_name in own))
check("completion: types")(lambda: sorted(t for t in x.datatypes() if t[0] in own))
check("completion: databases")(lambda: (x.dbname in x.databases(), "template1" in x.full_databases()))
check("completion: casing")(lambda: sorted(x.casing())[:0])
for text in [
    "SELECT * FROM pur|", "SELECT em| FROM customer", "SELECT * FROM customer c JOIN purchase p ON |", "INSERT INTO customer (|", "SELECT doub|", "DROP VIEW ri|", "SELECT * FROM other.|",
    "CREATE TABLE z (m moo|", "SELECT c.| FROM customer c", "SELECT * FROM customer JOIN |",
]:
    check("completes " + text)(lambda: complete(text))

for command in [
    r"\d", r"\d+", r"\d customer", r"\d+ customer", r"\d purchase", r"\d+ purchase", r"\d kinds", r"\d rich", r"\d+ rich", r"\d customer_id_seq", r"\d customer_email_key", r"\d purchase_note",
    r"\d rich_stored", r"\d other.audit", r"\d address", r"\d nowhere", r"\dt", r"\dt pur*", r"\dt other.*", r"\dv", r"\dv+ rich", r"\dm", r"\ds", r"\di", r"\di purchase*",
    r"\df", r"\df doubled", r"\df+ doubled", r"\sf doubled", r"\dT", r"\dT mood", r"\dT+ mood", r"\dD", r"\dD positive", r"\dn", r"\dn+", r"\dp", r"\dp customer", r"\ddp", r"\db", r"\du nobody",
    r"\dx", r"\dF", r"\dF english", r"\dE", r"\l template*", r"\?", r"\sv rich",
]:
    check(command)(lambda: run(command))

for kind in EACH_KIND:
    check("prints " + kind)(lambda: run(f"SELECT id, {kind} FROM kinds ORDER BY id"))
for statement in [
    "SELECT 1; SELECT 2", "SELECT * FROM customer ORDER BY id", "SELECT * FROM nowhere", "SELEC", "SELECT 1/0", "INSERT INTO customer (name, email) VALUES ('P', 'pgcli')",
    "UPDATE customer SET balance = 5 WHERE email = 'pgcli' RETURNING name, balance", "BEGIN", "DELETE FROM customer WHERE email = 'pgcli'", "SELECT nothing", "SELECT 1", "ROLLBACK",
    "SELECT count(*) FROM customer WHERE email = 'pgcli'", r"\x", "SELECT * FROM customer WHERE id = 1", r"\x", "SELECT 'müller' AS ü, NULL AS n, E'a\\nb' AS lines", "SELECT generate_series(1, 3)",
    "SELECT", "EXPLAIN (COSTS OFF) SELECT 1", "DROP TABLE IF EXISTS nowhere", "CREATE TABLE made AS SELECT 1 AS a", "TABLE made", "VALUES (1, 'a'), (2, NULL)", r"\timing", r"SELECT name FROM customer WHERE id = 2 \G",
]:
    check("runs " + statement)(lambda: run(statement))
check("state of a transaction")(lambda: (run("BEGIN"), x.valid_transaction(), run("SELECT nothing"), x.failed_transaction(), run("ROLLBACK"), x.failed_transaction()))
check("reconnects")(lambda: (x.connect(), run("SELECT current_database()")))
