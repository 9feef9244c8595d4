"""A session of SQLAlchemy over psycopg2: ORM, reflection and Alembic's comparison of schemas."""
import datetime
import decimal

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg

from check import URI, check, error, version

version(sa.__version__)
engine = sa.create_engine(URI.replace("postgres://", "postgresql+psycopg2://"), future=True)
inspector = sa.inspect(engine)

for what in ("table_names", "view_names", "schema_names", "sequence_names"):
    check("inspect " + what)(lambda: sorted(getattr(inspector, "get_" + what)()))
for table in ("customer", "purchase", "kinds", "rich"):
    check("columns of " + table)(lambda: [{k: str(v) if k == "type" else v for k, v in c.items()} for c in inspector.get_columns(table)])
for table in ("customer", "purchase"):
    check("primary key of " + table)(lambda: inspector.get_pk_constraint(table))
    check("foreign keys of " + table)(lambda: inspector.get_foreign_keys(table))
    check("indexes of " + table)(lambda: sorted(inspector.get_indexes(table), key=lambda i: i["name"]))
    check("unique constraints of " + table)(lambda: inspector.get_unique_constraints(table))
    check("check constraints of " + table)(lambda: inspector.get_check_constraints(table))
    check("comment of " + table)(lambda: inspector.get_table_comment(table))
check("view definition")(lambda: inspector.get_view_definition("rich"))
check("enums")(lambda: inspector.get_enums())
check("has table")(lambda: (inspector.has_table("customer"), inspector.has_table("nowhere")))
check("reflected tables")(lambda: (lambda m: (m.reflect(engine, views=True), [str(sa.schema.CreateTable(t).compile(engine)) for t in m.sorted_tables if t.name != "kinds"]))(sa.MetaData()))

Base = orm.declarative_base()
tags = sa.Table("post_tag", Base.metadata, sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True), sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True))


class Author(Base):
    __tablename__ = "author"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(40), nullable=False, unique=True)
    born = sa.Column(sa.Date)
    posts = orm.relationship("Post", back_populates="author", cascade="all, delete-orphan")


class Post(Base):
    __tablename__ = "post"
    __table_args__ = (sa.Index("post_title", sa.text("lower(title)")), sa.CheckConstraint("score >= 0", name="score_positive"))
    id = sa.Column(sa.BigInteger, sa.Identity(), primary_key=True)
    author_id = sa.Column(sa.ForeignKey("author.id"), nullable=False, index=True)
    title = sa.Column(sa.Text, nullable=False, comment="what it is called")
    score = sa.Column(sa.Numeric(8, 2), server_default="0")
    data = sa.Column(pg.JSONB)
    labels = sa.Column(pg.ARRAY(sa.Text))
    state = sa.Column(sa.Enum("draft", "live", name="post_state"), default="draft")
    key = sa.Column(pg.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"))
    made = sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now())
    took = sa.Column(sa.Interval)
    blob = sa.Column(sa.LargeBinary)
    search = sa.Column(sa.String, sa.Computed("lower(title)", persisted=True))
    author = orm.relationship("Author", back_populates="posts")
    tags = orm.relationship("Tag", secondary=tags)


class Tag(Base):
    __tablename__ = "tag"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String, unique=True)


check("create_all")(lambda: Base.metadata.create_all(engine))
check("create_all again")(lambda: Base.metadata.create_all(engine))
Session = orm.sessionmaker(engine, future=True)


@check("unit of work")
def _():
    with Session() as s:
        a = Author(name="Ann", born=datetime.date(1970, 1, 1))
        for i in range(30):
            a.posts.append(Post(title=f"Post {i}", score=decimal.Decimal(i), data={"n": i, "l": [None, "x"]}, labels=["a", None], took=datetime.timedelta(hours=i), blob=bytes([i]), tags=[Tag(name=f"t{i}")] if i < 3 else []))
        s.add(a)
        s.commit()
        return a.id, [p.id for p in a.posts][-1], a.posts[2].search, a.posts[2].tags[0].name, a.posts[3].state


def select(q):
    with Session() as s:
        return [tuple(r) for r in s.execute(q).all()]


P, A = Post, Author
check("filter by json")(lambda: select(sa.select(P.title, P.data["l"][1].astext).where(P.data["n"].as_integer() == 3)))
check("json containment")(lambda: select(sa.select(P.title).where(P.data.contains({"n": 4}))))
check("array any")(lambda: select(sa.select(sa.func.count()).select_from(P).where(P.labels.any("a"))))
check("join and group")(lambda: select(sa.select(A.name, sa.func.count(P.id), sa.func.sum(P.score)).join(A.posts).group_by(A.name).having(sa.func.count() > 1)))
check("window")(lambda: select(sa.select(P.id, sa.func.row_number().over(order_by=P.score.desc())).limit(3)))
check("recursive cte")(lambda: (lambda c: select(sa.select(sa.func.sum(c.union_all(sa.select(c.c.n + 1).where(c.c.n < 10)).c.n))))(sa.select(sa.literal(1).label("n")).cte("c", recursive=True)))
check("in and expanding")(lambda: select(sa.select(P.id).where(P.id.in_([1, 2, 3])).order_by(P.id)))
check("exists")(lambda: select(sa.select(A.id).where(A.posts.any(P.title == "Post 5"))))
check("eager loading")(lambda: (lambda s: [len(a.posts) for a in s.scalars(sa.select(A).options(orm.joinedload(A.posts).selectinload(P.tags))).unique()])(Session()))
check("distinct on")(lambda: select(sa.select(P.author_id, P.title).distinct(P.author_id).order_by(P.author_id, P.score.desc())))
@check("upsert")
def _():
    with engine.begin() as c:
        st = pg.insert(Tag).values(name="t1")
        return [tuple(r) for r in c.execute(st.on_conflict_do_update(index_elements=["name"], set_={"name": "t1b"}).returning(Tag.id, Tag.name))]


check("bulk update")(lambda: (lambda s: (s.execute(sa.update(P).where(P.score > 10).values(score=P.score + 1)).rowcount, s.commit()))(Session()))
check("for update skip locked")(lambda: select(sa.select(P.id).order_by(P.id).limit(2).with_for_update(skip_locked=True)))
check("integrity error")(lambda: (lambda s: (s.add(Author(name="Ann")), (lambda e: (e.orig.pgcode, e.orig.diag.constraint_name))(error(s.commit, sa.exc.IntegrityError)), s.rollback()))(Session()))
check("nested transaction")(lambda: (lambda s: (s.begin_nested(), s.add(Tag(name="x")), s.flush(), s.rollback(), s.scalar(sa.select(sa.func.count()).select_from(Tag))))(Session()))
check("server side cursor")(lambda: (lambda c: sum(len(p) for p in c.execution_options(stream_results=True, yield_per=7).execute(sa.select(P.id)).partitions()))(engine.connect()))
check("isolation level")(lambda: [engine.connect().execution_options(isolation_level=l).get_isolation_level() for l in ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT")])
check("two phase")(lambda: (lambda c: (lambda t: (c.execute(sa.text("SELECT 1")), t.prepare(), t.commit()))(c.begin_twophase()))(engine.connect()))
check("executemany values")(lambda: (lambda c: (c.execute(sa.insert(Tag), [{"name": f"m{i}"} for i in range(1500)]), c.execute(sa.select(sa.func.count()).select_from(Tag)).scalar(), c.commit()))(engine.connect()))
check("delete cascade")(lambda: (lambda s: (s.delete(s.get(Post, 1)), s.commit(), s.scalar(sa.select(sa.func.count()).select_from(tags))))(Session()))
check("refresh of defaults")(lambda: (lambda s, p: (s.add(p), s.commit(), len(p.key), p.made.tzinfo is not None, p.score))(Session(), Post(title="New", author_id=1)))
check("server version")(lambda: engine.dialect.server_version_info[0])


@check("alembic comparison")
def _():
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    with engine.connect() as c:
        m = MigrationContext.configure(c, opts={"compare_type": True, "compare_server_default": True})
        return sorted(str(d[0] if isinstance(d, tuple) else d[0][0]) + " " + str(getattr(d[1], "name", "")) if isinstance(d, tuple) else str(d[0][0]) for d in compare_metadata(m, Base.metadata))


@check("alembic operations")
def _():
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    with engine.begin() as c:
        op = Operations(MigrationContext.configure(c))
        op.create_table("alm", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.String(10)))
        op.add_column("alm", sa.Column("b", sa.Integer, server_default="5", nullable=False))
        op.alter_column("alm", "a", type_=sa.Text, nullable=False, new_column_name="aa")
        op.create_index("alm_b", "alm", ["b"], unique=True)
        op.create_check_constraint("alm_check", "alm", "b > 0")
        op.create_foreign_key("alm_fk", "alm", "tag", ["b"], ["id"], ondelete="SET NULL")
        op.execute("INSERT INTO alm (id, aa) VALUES (1, 'x')")
        op.drop_constraint("alm_fk", "alm")
        op.rename_table("alm", "alm2")
    return [str(c["name"]) + " " + str(c["type"]) for c in sa.inspect(engine).get_columns("alm2")], sa.inspect(engine).get_check_constraints("alm2")


check("drop_all")(lambda: (Base.metadata.drop_all(engine), sorted(sa.inspect(engine).get_table_names())))
