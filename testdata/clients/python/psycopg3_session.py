"""A session of psycopg 3: binary and text, prepared statements, pipelines, copy, server cursors."""
import datetime
import threading
import time
import uuid

import psycopg
from psycopg.rows import class_row, dict_row, namedtuple_row
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.enum import EnumInfo
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from check import EACH_KIND, URI, check, error, version

version(psycopg.__version__)
con = psycopg.connect(URI, autocommit=True)


def q(sql, params=None, **kw):
    c = con.execute(sql, params, **kw)
    return c.fetchall() if c.description else c.statusmessage


for kind in EACH_KIND:
    for binary in (False, True):
        check(f"type {kind} {'binary' if binary else 'text'}")(lambda: q(f"SELECT {kind} FROM kinds ORDER BY id LIMIT 2", binary=binary))
    check("extreme of " + kind)(lambda: q(f"SELECT {kind}::text FROM kinds WHERE id = 3"))
check("raw binary")(lambda: [con.execute(f"SELECT {k} FROM kinds WHERE id = %s", [i], binary=True).pgresult.get_value(0, 0) for k in EACH_KIND if k not in ("ad",) for i in (1, 3)])

for name, value in [
    ("int", 5), ("int8", 2**40), ("numeric int", 2**70), ("float", 1.25), ("text", "ü'\\\"%"), ("none", None), ("bool", True), ("bytes", b"\x00\x01'\\"), ("list", [1, 2, None]),
    ("date", datetime.date(2024, 2, 29)), ("time", datetime.time(1, 2, 3)), ("datetime", datetime.datetime(2024, 1, 2, 3, 4, 5, 6)), ("interval", datetime.timedelta(days=400, seconds=5)),
    ("uuid", uuid.UUID(int=7)), ("json", Jsonb({"a": [1, None]})), ("strings", ["a", 'b"c', None]),
]:
    for style in "sbt":
        check(f"parameter {name} %{style}")(lambda: q(f"SELECT %{style}" + ("::text" if name == "text" else ""), [value]))
check("parameter in values")(lambda: q("INSERT INTO customer (name, email, balance) VALUES (%s, %s, %s) RETURNING id, balance", ["Dee", "d@x", 5]))
check("prepared statements")(lambda: ([q("SELECT name FROM customer WHERE id = %s", [i], prepare=True) for i in (1, 2, 3)], q("SELECT count(*) FROM pg_prepared_statements")))
check("automatic preparation")(lambda: ([q("SELECT %s::int + 1", [i]) for i in range(8)][-1], q("SELECT statement, parameter_types::text FROM pg_prepared_statements WHERE statement LIKE '%%+ 1%%'")))
check("plan after ALTER")(lambda: (q("CREATE TABLE pa (a int)"), [q("SELECT * FROM pa", prepare=True)], q("ALTER TABLE pa ADD b int"), error(lambda: q("SELECT * FROM pa", prepare=True)).sqlstate, q("DEALLOCATE ALL")))
con.prepare_threshold = None
con = psycopg.connect(URI, autocommit=True)


@check("pipeline")
def _():
    with con.pipeline():
        cs = [con.execute("SELECT %s::int * 2", [i]) for i in range(50)]
        return [c.fetchone()[0] for c in cs]


@check("pipeline with an error")
def _():
    out = []
    try:
        with con.pipeline() as p:
            a = con.execute("SELECT 1")
            con.execute("SELECT 1/0")
            b = con.execute("SELECT 2")
            p.sync()
    except psycopg.Error as e:
        out.append(e.sqlstate)
    return out, a.fetchone(), con.execute("SELECT 3").fetchone()


check("executemany returning")(lambda: (lambda c: (c.executemany("INSERT INTO pa (a) VALUES (%s) RETURNING a", [(1,), (2,), (3,)], returning=True), c.fetchall(), c.nextset(), c.fetchall()))(con.cursor()))
check("client cursor")(lambda: psycopg.ClientCursor(con).execute("SELECT %s, %s; SELECT 5", [1, "x"]).fetchall())
check("dict rows")(lambda: con.cursor(row_factory=dict_row).execute("SELECT id, name FROM customer ORDER BY id LIMIT 2").fetchall())
check("stream")(lambda: [r for r in con.cursor().stream("SELECT generate_series(1, 5)")])
check("stream with an error")(lambda: (lambda seen: (error(lambda: [seen.append(r) for r in con.cursor().stream("SELECT 10/(3-n) FROM generate_series(1, 5) n")]).sqlstate, seen))([]))


@check("server cursor")
def _():
    with con.transaction():
        with con.cursor("sc", scrollable=True) as c:
            c.execute("SELECT generate_series(1, %s)", [100])
            a = c.fetchmany(3)
            c.scroll(10)
            b = c.fetchone()
            c.scroll(0, mode="absolute")
            return a, b, c.fetchone(), c.description[0].type_code, len(c.fetchall())


@check("server cursor in binary")
def _():
    with con.transaction():
        with con.cursor("sb", binary=True) as c:
            return c.execute("SELECT id, t, tsz FROM kinds ORDER BY id LIMIT 2").fetchall()


@check("nested transactions")
def _():
    with con.transaction():
        q("INSERT INTO pa VALUES (10)")
        try:
            with con.transaction():
                q("INSERT INTO pa VALUES (11)")
                raise psycopg.Rollback
        except psycopg.Rollback:
            pass
        with con.transaction("named"):
            q("INSERT INTO pa VALUES (12)")
    return q("SELECT a FROM pa WHERE a >= 10 ORDER BY a"), con.info.transaction_status.name


check("enum")(lambda: (lambda i: (i.name, i.labels))(EnumInfo.fetch(con, "mood")))
check("composite")(lambda: (lambda i: (i.field_names, register_composite(i, con), q("SELECT ad FROM kinds WHERE id = 1"), q("SELECT %s::address", [i.python_type("a", 5)])))(CompositeInfo.fetch(con, "address")))
check("range type")(lambda: q("SELECT %s::int4range", [Range(1, 5)]))
check("fields")(lambda: (lambda c: [(d.name, d.type_display if hasattr(d, "type_display") else d.type_code, d.precision, d.scale, d.display_size, d.internal_size, d.null_ok) for d in c.description])(con.execute("SELECT id, name, balance, created FROM customer")))
check("table origin")(lambda: (lambda r: [(r.ftablecol(i), r.ftable(i) == q("SELECT 'customer'::regclass::oid::int")[0][0], r.fmod(i), r.fsize(i)) for i in range(4)])(con.execute("SELECT id, name, balance, id + 1 FROM customer").pgresult))


def sqlstate(sql):
    d = error(lambda: q(sql), psycopg.Error).diag
    return [d.severity_nonlocalized, d.sqlstate, d.message_primary, d.message_detail, d.message_hint, d.statement_position, d.schema_name, d.table_name, d.column_name, d.datatype_name, d.constraint_name]


for name, sql in [
    ("unique", "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"), ("not null", "INSERT INTO customer (name) VALUES (NULL)"), ("check", "UPDATE customer SET balance = -1"),
    ("foreign key", "INSERT INTO purchase (customer_id) VALUES (999)"), ("referenced", "ALTER TABLE purchase ADD CONSTRAINT other FOREIGN KEY (id) REFERENCES customer"), ("drop", "DROP TYPE mood"),
    ("domain", "SELECT 0::positive"), ("syntax", "SELECT * FORM x"), ("column", "SELECT custmer.id FROM customer"), ("privilege", "SET ROLE nobody"),
]:
    check("error " + name)(lambda: sqlstate(sql))
check("error of a parameter")(lambda: error(lambda: q("SELECT %s::int", ["x"])).diag.message_primary)
check("nul in text")(lambda: type(error(lambda: q("SELECT %s", ["a\x00b"]))).__name__)


@check("copy in rows")
def _():
    with con.cursor().copy("COPY pa (a, b) FROM STDIN") as c:
        for i in range(100):
            c.write_row((i + 100, None if i % 2 else i))
    return q("SELECT count(*), count(b), sum(a) FROM pa WHERE a >= 100")


@check("copy in binary")
def _():
    with con.cursor().copy("COPY pa (a, b) FROM STDIN (FORMAT binary)") as c:
        c.set_types(["int4", "int4"])
        for i in range(100):
            c.write_row((i + 1000, i))
    return q("SELECT count(*), sum(b) FROM pa WHERE a >= 1000")


@check("copy out rows")
def _():
    with con.cursor().copy("COPY (SELECT id, name, tsz, by, na FROM kinds JOIN customer USING (id) ORDER BY 1) TO STDOUT (FORMAT binary)") as c:
        c.set_types(["int4", "varchar", "timestamptz", "bytea", "numeric[]"])
        return list(c.rows())


@check("copy stopped by the client")
def _():
    def stop():
        with con.cursor().copy("COPY pa FROM STDIN") as c:
            c.write("1\t1\n")
            raise ZeroDivisionError
    kind = type(error(stop)).__name__
    return kind, con.info.transaction_status.name, q("SELECT 1")


@check("notify")
def _():
    con.execute("LISTEN chan")
    with psycopg.connect(URI, autocommit=True) as other:
        other.execute("SELECT pg_notify('chan', %s)", ["payload"])
    for n in con.notifies():
        return n.channel, n.payload


@check("notice handler")
def _():
    got = []
    con.add_notice_handler(lambda d: got.append((d.severity, d.sqlstate, d.message_primary)))
    q("DROP TABLE IF EXISTS nowhere")
    q("COMMIT")
    return got


@check("cancel")
def _():
    threading.Timer(0.2, con.cancel).start()
    start = time.time()
    return error(lambda: q("SELECT count(*) FROM generate_series(1, 10000000000)")).sqlstate, time.time() - start < 5, q("SELECT 1")


@check("two-phase commit")
def _():
    c2 = psycopg.connect(URI)
    x = c2.xid(7, "gt", "bq")
    c2.tpc_begin(x)
    c2.execute("SELECT 1")
    c2.tpc_prepare()
    c2.tpc_commit()
    return len(c2.tpc_recover())


check("isolation")(lambda: (lambda c: (setattr(c, "isolation_level", psycopg.IsolationLevel.SERIALIZABLE), setattr(c, "read_only", True), setattr(c, "deferrable", True), c.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('transaction_deferrable')").fetchall()))(psycopg.connect(URI)))
check("connection info")(lambda: (con.info.dbname, con.info.encoding, con.info.parameter_status("server_encoding"), con.info.server_version // 10000, con.info.pipeline_status.name))
check("large value")(lambda: q("SELECT length(%s::text), length(%b::bytea)", ["x" * 2000000, b"\x00" * 2000000]))
check("too many parameters")(lambda: type(error(lambda: q("SELECT " + ",".join(["%s"] * 70000), list(range(70000))))).__name__)
check("plpgsql block")(lambda: q("DO $$ BEGIN PERFORM 1; END $$"))
