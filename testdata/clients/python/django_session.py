"""A session of Django: migrations, the ORM, inspectdb, and what its PostgreSQL backend asks for."""
import contextlib
import io
import os
import sys
import tempfile
import textwrap
from urllib.parse import urlparse

from check import URI, check, error, version

import django
from django.conf import settings

u = urlparse(URI)
work = tempfile.mkdtemp()
sys.path.insert(0, work)
os.makedirs(work + "/library/migrations")
open(work + "/library/__init__.py", "w").close()
open(work + "/library/migrations/__init__.py", "w").close()
with open(work + "/library/models.py", "w") as f:
    f.write(textwrap.dedent("""
        from django.contrib.postgres.fields import ArrayField
        from django.db import models

        class Author(models.Model):
            name = models.CharField(max_length=50, unique=True)
            born = models.DateField(null=True)
            class Meta:
                indexes = [models.Index(fields=["born", "-name"], name="author_born")]
                constraints = [models.CheckConstraint(check=~models.Q(name=""), name="author_named")]

        class Tag(models.Model):
            name = models.SlugField(primary_key=True)

        class Book(models.Model):
            author = models.ForeignKey(Author, models.CASCADE, related_name="books")
            tags = models.ManyToManyField(Tag)
            title = models.TextField()
            price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
            data = models.JSONField(null=True)
            labels = ArrayField(models.CharField(max_length=10), default=list)
            key = models.UUIDField(null=True)
            seen = models.DateTimeField(null=True)
            took = models.DurationField(null=True)
            size = models.PositiveSmallIntegerField(null=True)
            ratio = models.FloatField(null=True)
            big = models.BigIntegerField(null=True)
            blob = models.BinaryField(null=True)
            live = models.BooleanField(default=True)
            ip = models.GenericIPAddressField(null=True)
            class Meta:
                unique_together = [("author", "title")]
    """))
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.admin", "django.contrib.messages", "library"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": u.path[1:], "USER": u.username, "PASSWORD": u.password or "", "HOST": u.hostname, "PORT": u.port}},
    USE_TZ=True, SECRET_KEY="x", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    MIDDLEWARE=[], TEMPLATES=[],
)
django.setup()
version(django.get_version())

import datetime
import decimal
import uuid

from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Avg, Count, Exists, F, OuterRef, Prefetch, Q, Sum, Value, Window
from django.db.models.functions import Cast, Coalesce, Concat, ExtractYear, Lower, RowNumber, TruncMonth
from library.models import Author, Book, Tag


def command(*args, **kw):
    out = io.StringIO()
    with contextlib.redirect_stderr(io.StringIO()):
        call_command(*args, stdout=out, **kw)
    return out.getvalue().replace(work, "")


check("makemigrations")(lambda: command("makemigrations", "library", verbosity=1))
check("migrate")(lambda: command("migrate", verbosity=1))
check("migrate again")(lambda: command("migrate", verbosity=1))
check("showmigrations")(lambda: command("showmigrations"))
check("sqlmigrate")(lambda: command("sqlmigrate", "library", "0001"))
check("check")(lambda: command("check", "library", databases=["default"]))
check("inspectdb")(lambda: command("inspectdb"))
check("inspectdb of the shop")(lambda: command("inspectdb", "customer", "purchase", "kinds", include_views=True))
check("features")(lambda: [getattr(connection.features, f) for f in ("minimum_database_version", "has_select_for_update_skip_locked", "supports_json_field", "can_introspect_materialized_views")])
for table in ("library_book", "library_author", "purchase"):
    check("constraints of " + table)(lambda: sorted(connection.introspection.get_constraints(connection.cursor(), table).items()))
check("sequences")(lambda: connection.introspection.get_sequences(connection.cursor(), "library_book"))
check("table list")(lambda: sorted((t.name, t.type) for t in connection.introspection.get_table_list(connection.cursor())))


@check("create")
def _():
    a = Author.objects.create(name="Ann", born=datetime.date(1970, 5, 1))
    b = Author.objects.create(name="Ben")
    for i in range(20):
        k = Book.objects.create(author=a if i % 3 else b, title=f"Book {i}", price=decimal.Decimal(i), data={"n": i, "k": [None, {"x": "y"}]}, labels=["a", "b"][: i % 3], key=uuid.UUID(int=i),
                                seen=datetime.datetime(2024, 1 + i % 12, 2, tzinfo=datetime.timezone.utc), took=datetime.timedelta(days=i), size=i, ratio=i / 4, big=2**40, blob=bytes([i]), ip="10.0.0.1")
        if i < 4:
            k.tags.add(Tag.objects.get_or_create(name=f"t{i % 2}")[0])
    return a.pk, b.pk, k.pk


check("values")(lambda: [(v["title"], v["price"], v["data"], v["labels"], str(v["key"]), v["seen"], v["took"], v["ratio"], bytes(v["blob"]), v["ip"]) for v in Book.objects.filter(pk__lt=3).order_by("pk").values()])
for name, q in [
    ("filter", lambda: Book.objects.filter(author__name="Ann", price__gte=5).exclude(title__icontains="9").values_list("title")), ("q objects", lambda: Book.objects.filter(Q(price__lt=2) | ~Q(live=True)).values_list("pk")),
    ("aggregate", lambda: [Book.objects.aggregate(Sum("price"), Avg("ratio"), Count("pk"))]), ("annotate", lambda: Author.objects.annotate(n=Count("books"), s=Sum("books__price")).order_by("pk").values_list("name", "n", "s")),
    ("window", lambda: Book.objects.annotate(r=Window(RowNumber(), partition_by=[F("author")], order_by=F("price").desc())).order_by("pk").values_list("pk", "r")[:5]),
    ("subquery", lambda: Author.objects.annotate(e=Exists(Book.objects.filter(author=OuterRef("pk"), price__gt=18))).order_by("pk").values_list("name", "e")),
    ("json path", lambda: Book.objects.filter(data__k__1__x="y", data__n__gt=15).values_list("title")), ("json has key", lambda: Book.objects.filter(data__has_key="n").values_list("pk").order_by("pk")[:2]), ("json contains", lambda: Book.objects.filter(data__contains={"n": 3}).values_list("pk")),
    ("array", lambda: Book.objects.filter(labels__contains=["a"], labels__len=2).values_list("pk").order_by("pk")), ("array index", lambda: Book.objects.filter(labels__0="a").values_list("pk").order_by("pk")[:3]),
    ("dates", lambda: Book.objects.dates("seen", "month")[:3]), ("datetimes", lambda: Book.objects.datetimes("seen", "day")[:3]), ("date parts", lambda: Book.objects.filter(seen__month=3, seen__week_day=7).values_list("pk")), ("truncate", lambda: Book.objects.annotate(m=TruncMonth("seen")).values("m").annotate(c=Count("pk")).order_by("m")[:2]),
    ("functions", lambda: Author.objects.annotate(l=Lower("name"), c=Concat("name", Value("!")), y=Coalesce(ExtractYear("born"), 0)).order_by("pk").values_list("l", "c", "y")), ("cast", lambda: Book.objects.annotate(t=Cast("price", models.CharField())).order_by("pk").values_list("t")[:2]),
    ("regex", lambda: Book.objects.filter(title__iregex=r"^book 1\d$").values_list("pk").order_by("pk")), ("union", lambda: Book.objects.filter(pk=1).values_list("pk").union(Book.objects.filter(pk=2).values_list("pk")).order_by("pk")), ("distinct on", lambda: Book.objects.order_by("author", "-price").distinct("author").values_list("title")),
    ("durations", lambda: Book.objects.annotate(x=models.ExpressionWrapper(F("seen") + F("took"), models.DateTimeField())).order_by("pk").values_list("x")[:2]), ("prefetch", lambda: [(a.name, len(a.books.all()), sum(len(b.tags.all()) for b in a.books.all())) for a in Author.objects.order_by("pk").prefetch_related("books__tags")]), ("select related", lambda: [(b.author.name) for b in Book.objects.select_related("author").order_by("pk")[:2]]),
    ("in bulk", lambda: sorted(Book.objects.in_bulk([1, 2]).keys())), ("explain", lambda: ["Scan" in Book.objects.filter(pk=1).explain() or True]), ("iterator", lambda: [sum(1 for _ in Book.objects.iterator(chunk_size=3))]), ("contains text", lambda: Book.objects.filter(title__contains="100%_\\").values_list("pk")),
]:
    check("query " + name)(lambda: list(q()))
check("update")(lambda: (Book.objects.filter(price__gt=10).update(price=F("price") * 2), Book.objects.aggregate(Sum("price"))))
check("bulk_create")(lambda: [b.pk for b in Book.objects.bulk_create([Book(author_id=1, title=f"Bulk {i}") for i in range(300)])][-1])
check("bulk_create ignoring conflicts")(lambda: (Book.objects.bulk_create([Book(author_id=1, title="Bulk 1"), Book(author_id=1, title="Fresh")], ignore_conflicts=True) and None, Book.objects.count()))
check("bulk_update")(lambda: (lambda bs: ([setattr(b, "ratio", b.pk / 2) for b in bs] and None, Book.objects.bulk_update(bs, ["ratio"])))(list(Book.objects.order_by("pk")[:50])))
check("update_or_create")(lambda: (lambda r: (r[0].pk, r[1]))(Author.objects.update_or_create(name="Ann", defaults={"born": None})))
check("integrity error")(lambda: error(lambda: transaction.atomic().__call__(lambda: Author.objects.create(name="Ann"))(), IntegrityError).__cause__.diag.constraint_name)


@check("atomic and savepoints")
def _():
    with transaction.atomic():
        Tag.objects.create(name="outer")
        try:
            with transaction.atomic():
                Tag.objects.create(name="inner")
                Tag.objects.create(name="outer", pk="outer")
        except IntegrityError:
            pass
        n = Tag.objects.select_for_update(skip_locked=True).filter(name="outer").count()
    return n, Tag.objects.filter(name__in=["outer", "inner"]).count()


check("on_commit")(lambda: (lambda seen: (transaction.atomic().__call__(lambda: transaction.on_commit(lambda: seen.append(1)))(), seen))([]))
check("cascade")(lambda: sorted(Author.objects.filter(name="Ben").delete()[1].items()))
check("users and permissions")(lambda: (lambda U: (U.objects.create_superuser("root", "r@x", "pw").pk, U.objects.get(username="root").has_perm("library.add_book"), len(U.objects.get(username="root").get_all_permissions())))(__import__("django.contrib.auth.models", fromlist=["User"]).User))
check("dumpdata")(lambda: len(command("dumpdata", "library.tag", indent=None)) > 50)
check("raw")(lambda: [b.title for b in Book.objects.raw("SELECT * FROM library_book WHERE title LIKE %s ORDER BY id LIMIT 2", ["Book%"])])


@check("schema editor")
def _():
    with connection.schema_editor() as e:
        old, new = Book._meta.get_field("size"), models.IntegerField(null=True, db_index=True)
        new.set_attributes_from_name("size")
        e.alter_field(Book, old, new)
        text = models.CharField(max_length=20, default="x")
        text.set_attributes_from_name("extra")
        e.add_field(Book, text)
        e.alter_unique_together(Book, [("author", "title")], [("author", "title", "live")])
        e.alter_unique_together(Book, [("author", "title", "live")], [("author", "title")])
        e.alter_db_table(Tag, "library_tag", "library_label")
    return [(f.name, f.null_ok, f.display_size) for f in connection.introspection.get_table_description(connection.cursor(), "library_book")]


check("migrate back")(lambda: (connection.cursor().execute("ALTER TABLE library_label RENAME TO library_tag"), command("migrate", "library", "zero", verbosity=1)))
check("flush")(lambda: command("flush", interactive=False, verbosity=0))
