package settings

import (
	"testing"

	"github.com/omendb/omendb/sql/pgerr"
)

func TestValuesAreCheckedAndShown(t *testing.T) {
	for _, c := range []struct{ name, value, shown, code string }{
		{"work_mem", "64MB", "64MB", ""},
		{"work_mem", "1000", "1000kB", ""},
		{"work_mem", "1GB", "1GB", ""},
		{"work_mem", "1 parsec", "", pgerr.InvalidParameterValue},
		{"work_mem", "1", "", pgerr.InvalidParameterValue},
		{"statement_timeout", "2min", "2min", ""},
		{"statement_timeout", "1500", "1500ms", ""},
		{"statement_timeout", "1.5s", "1500ms", ""},
		{"statement_timeout", "x", "", pgerr.InvalidParameterValue},
		{"enable_seqscan", "TRUE", "on", ""},
		{"enable_seqscan", "of", "off", ""},
		{"enable_seqscan", "o", "", pgerr.InvalidParameterValue},
		{"intervalstyle", "ISO_8601", "iso_8601", ""},
		{"intervalstyle", "roman", "", pgerr.InvalidParameterValue},
		{"datestyle", "german", "German, DMY", ""},
		{"datestyle", "ymd", "ISO, YMD", ""},
		{"datestyle", "ymd, x", "", pgerr.InvalidParameterValue},
		{"timezone", "Europe/Vienna", "Europe/Vienna", ""},
		{"timezone", "Nowhere/At_All", "", pgerr.InvalidParameterValue},
		{"client_encoding", "utf-8", "UTF8", ""},
		{"client_encoding", "iso-8859-1", "LATIN1", ""},
		{"client_encoding", "mule_internal", "", pgerr.FeatureNotSupported},
		{"client_encoding", "nosuch", "", pgerr.InvalidParameterValue},
		{"application_name", "caf\u00e9\n", "caf???", ""},
		{"seq_page_cost", "1.25", "1.25", ""},
		{"my.setting", "anything", "anything", ""},
		{"my.2nd", "anything", "", pgerr.InvalidName},
		{"nosuch", "1", "", pgerr.UndefinedObject},
		{"server_version", "16", "", pgerr.CantChangeRuntimeParam},
		{"max_connections", "5", "", pgerr.CantChangeRuntimeParam},
		{"log_min_messages", "debug1", "", pgerr.InsufficientPrivilege},
	} {
		v := NewValues()
		err := v.Set(c.name, c.value, false, false)
		if c.code != "" {
			if err == nil || pgerr.From(err).Code != c.code {
				t.Errorf("SET %s = %q: got %v, want %s", c.name, c.value, err, c.code)
			}
			continue
		}
		if err != nil {
			t.Errorf("SET %s = %q: %v", c.name, c.value, err)
			continue
		}
		if got, err := v.Show(c.name); err != nil || got != c.shown {
			t.Errorf("SHOW %s after %q: got %q, %v, want %q", c.name, c.value, got, err, c.shown)
		}
	}
}

// TestTransactions follows SET and SET LOCAL through savepoints, rollback and commit.
func TestTransactions(t *testing.T) {
	v := NewValues()
	var told []string
	v.Changed = func(d *Definition, value string) { told = append(told, d.Name+"="+value) }
	set := func(value string, local bool) {
		t.Helper()
		if err := v.Set("extra_float_digits", value, local, false); err != nil {
			t.Fatal(err)
		}
	}
	want := func(value string) {
		t.Helper()
		if got := v.Get("extra_float_digits"); got != value {
			t.Fatalf("got %s, want %s", got, value)
		}
	}
	set("2", false)
	v.Commit()
	want("2")
	set("3", true)
	want("3")
	v.Commit()
	want("2")
	set("0", false)
	mark := v.Mark()
	set("1", false)
	v.Rollback(mark)
	want("0")
	v.Rollback(0)
	want("2")
	set("0", false)
	set("-1", true)
	v.Commit()
	want("0")
	if err := v.Reset("extra_float_digits", false, false); err != nil {
		t.Fatal(err)
	}
	want("1")
	v.Rollback(0)
	want("0")
	if len(told) == 0 {
		t.Error("nobody was told")
	}
}

func TestDefaultsOfASession(t *testing.T) {
	v := NewValues()
	if err := v.SetDefault("work_mem", "8MB"); err != nil {
		t.Fatal(err)
	}
	if err := v.Set("work_mem", "16MB", false, false); err != nil {
		t.Fatal(err)
	}
	v.ResetAll()
	if got, _ := v.Show("work_mem"); got != "8MB" {
		t.Errorf("RESET ALL gives %s, want the session's default", got)
	}
	if v.Bool("enable_seqscan") != true || v.Int("work_mem") != 8192 {
		t.Error("typed reads differ from SHOW")
	}
	if len(All()) < 350 || Find("TIME ZONE") != Find("timezone") || Find("nosuch") != nil {
		t.Error("the table of parameters is not PostgreSQL's")
	}
	if err := v.Set("a.b", "c", false, false); err != nil || len(v.Customs()) != 1 {
		t.Errorf("custom parameters: %v", err)
	}
}
