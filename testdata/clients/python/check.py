"""The harness of the Python sessions: named checks, of each of which a line is printed.

A line is "PASS name = value" or "FAIL name: error". A check passes on OmenDB when its line is the one that PostgreSQL gives.
"""
import re
import sys

URI = sys.argv[1]
EACH_KIND = ("b i2 i4 i8 f4 f8 n nu t vc c by d tm tmz ts tsz iv u j jb ia ta na m p ad mn bt vb o nm").split()


def version(text):
    print("VERSION", text)


def check(name):
    """Runs the decorated function at once."""
    def run(fn):
        try:
            value = fn()
            if hasattr(value, "__await__"):
                raise TypeError("use acheck")
            print("PASS", name, "=", one_line(value))
        except Exception as e:  # a failing check is a result, not the end
            print("FAIL", name + ":", type(e).__name__, one_line(str(e)))
        sys.stdout.flush()
    return run


def one_line(value):
    return re.sub(r" at 0x[0-9a-f]+", "", value if isinstance(value, str) else repr(value)).replace("\n", "\\n")


def error(fn, *classes):
    """Calls fn, which has to raise one of classes, and returns the error."""
    try:
        fn()
    except (classes or Exception) as e:
        return e
    raise AssertionError("no error")
