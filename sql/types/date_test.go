package types

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// dateCase is one line of testdata/date_ops.tsv.
type dateCase struct {
	t    *testing.T
	e    *Env
	a, b string
}

func (c *dateCase) read(t OID, s string) Datum {
	c.t.Helper()
	d, err := c.e.In(t, -1, s)
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

func (c *dateCase) ts(s string) int64    { return c.read(TimestampOID, s).I }
func (c *dateCase) tz(s string) int64    { return c.read(TimestamptzOID, s).I }
func (c *dateCase) iv(s string) Interval { return IntervalFrom(c.read(IntervalOID, s)) }
func (c *dateCase) number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

func (c *dateCase) showTS(ts int64, err error) (string, error) {
	return string(c.e.Out(nil, TimestampOID, intDatum(ts))), err
}

func (c *dateCase) showTZ(ts int64, err error) (string, error) {
	return string(c.e.Out(nil, TimestamptzOID, intDatum(ts))), err
}

func showInterval(v Interval, err error) (string, error) {
	return string(new(Env).Out(nil, IntervalOID, v.Datum())), err
}

func showNumeric(n Numeric, err error) (string, error) { return n.String(), err }

func showPart(n Numeric, null bool, err error) (string, error) {
	if null {
		return "null", err
	}
	return n.String(), err
}

var dateOps = map[string]func(c *dateCase) (string, error){
	"ts+iv": func(c *dateCase) (string, error) { return c.showTS(TimestampAdd(c.ts(c.a), c.iv(c.b))) },
	"tz+iv": func(c *dateCase) (string, error) {
		return c.showTZ(TimestamptzAdd(c.tz(c.a), c.iv(c.b), c.e.SessionZone()))
	},
	"ts-ts": func(c *dateCase) (string, error) { return showInterval(TimestampSub(c.ts(c.a), c.ts(c.b))) },
	"age":   func(c *dateCase) (string, error) { return showInterval(Age(c.ts(c.a), c.ts(c.b), UTC)) },
	"agetz": func(c *dateCase) (string, error) { return showInterval(Age(c.tz(c.a), c.tz(c.b), c.e.SessionZone())) },
	"trunc": func(c *dateCase) (string, error) { return c.showTS(TruncTimestamp(c.b, c.ts(c.a))) },
	"trunctz": func(c *dateCase) (string, error) {
		return c.showTZ(TruncTimestamptz(c.b, c.tz(c.a), c.e.SessionZone()))
	},
	"trunciv": func(c *dateCase) (string, error) { return showInterval(TruncInterval(c.b, c.iv(c.a))) },
	"extract": func(c *dateCase) (string, error) { return showPart(ExtractTimestamp(c.b, c.ts(c.a))) },
	"extracttz": func(c *dateCase) (string, error) {
		return showPart(ExtractTimestamptz(c.b, c.tz(c.a), c.e.SessionZone()))
	},
	"extractdate": func(c *dateCase) (string, error) { return showPart(ExtractDate(c.b, c.read(DateOID, c.a).I)) },
	"extractiv":   func(c *dateCase) (string, error) { return showNumeric(ExtractInterval(c.b, c.iv(c.a))) },
	"extracttime": func(c *dateCase) (string, error) { return showNumeric(ExtractTime(c.b, c.read(TimeOID, c.a).I)) },
	"extracttimetz": func(c *dateCase) (string, error) {
		return showNumeric(ExtractTimeTZ(c.b, TimeTZFrom(c.read(TimetzOID, c.a))))
	},
	"iv*":              func(c *dateCase) (string, error) { return showInterval(c.iv(c.a).Mul(c.number(c.b))) },
	"iv/":              func(c *dateCase) (string, error) { return showInterval(c.iv(c.a).Div(c.number(c.b))) },
	"iv+":              func(c *dateCase) (string, error) { return showInterval(c.iv(c.a).Add(c.iv(c.b))) },
	"iv-":              func(c *dateCase) (string, error) { return showInterval(c.iv(c.a).Sub(c.iv(c.b))) },
	"justify_hours":    func(c *dateCase) (string, error) { return showInterval(c.iv(c.a).JustifyHours()) },
	"justify_days":     func(c *dateCase) (string, error) { return showInterval(c.iv(c.a).JustifyDays()) },
	"justify_interval": func(c *dateCase) (string, error) { return showInterval(c.iv(c.a).JustifyInterval()) },
	"bin": func(c *dateCase) (string, error) {
		return c.showTS(DateBin(c.iv(c.b), c.ts(c.a), c.ts("2001-01-01")))
	},
	"atzone": func(c *dateCase) (string, error) {
		z, err := ZoneNamed(c.b, c.ts(c.a), true)
		if err != nil {
			return "", err
		}
		return c.showTS(TimestampToTimestamptz(c.ts(c.a), z))
	},
	"tzatzone": func(c *dateCase) (string, error) {
		z, err := ZoneNamed(c.b, c.tz(c.a), false)
		if err != nil {
			return "", err
		}
		return c.showTS(TimestamptzToTimestamp(c.tz(c.a), z))
	},
}

// TestDateArithmeticMatchesPostgreSQL compares every operation with PostgreSQL 15's result.
func TestDateArithmeticMatchesPostgreSQL(t *testing.T) {
	data, err := os.ReadFile("testdata/date_ops.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		zone := "TimeZone=UTC"
		if f[3] != "" {
			zone = "TimeZone=" + f[3]
		}
		c := &dateCase{t, testEnv(t, zone), f[1], f[2]}
		out, err := dateOps[f[0]](c)
		if got := describe(out, err); got != f[4] {
			t.Errorf("%s(%s, %s) in %s\n got %s\nwant %s", f[0], f[1], f[2], f[3], got, f[4])
		}
	}
}
