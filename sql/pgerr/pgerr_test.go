package pgerr

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestFrom(t *testing.T) {
	own := New(UniqueViolation, "duplicate key value violates unique constraint \"%s\"", "t_pkey").
		WithDetail("Key (id)=(%d) already exists.", 1).WithHint("100%% safe").WithTable("public", "t").WithConstraint("t_pkey").
		WithColumn("id").WithDataType("public", "int").WithWhere("line %d", 3).At(7).At(9)
	for _, c := range []struct {
		err  error
		code string
	}{
		{own, "23505"}, {fmt.Errorf("insert: %w", own), "23505"}, {context.Canceled, "57014"},
		{fmt.Errorf("scan: %w", context.DeadlineExceeded), "57014"}, {errors.New("odd"), "XX000"}, {Unsupported("no %s", "xml"), "0A000"},
	} {
		if got := Code(c.err); got != c.code || !Is(c.err, c.code) {
			t.Errorf("%v: %s, want %s", c.err, got, c.code)
		}
	}
	if From(nil) != nil || Code(nil) != "" || Is(nil, "") {
		t.Error("nil is no error")
	}
	if own.Position != 7 {
		t.Error("the first position wins, got", own.Position)
	}
	if got := own.Error(); got != `ERROR: duplicate key value violates unique constraint "t_pkey" (SQLSTATE 23505)` {
		t.Error(got)
	}
	if own.Detail != "Key (id)=(1) already exists." || own.Where != "line 3" || own.SQLState() != "23505" {
		t.Errorf("%+v", own)
	}
	if n := Notice(SeverityNotice, Warning, "50%").WithSeverity(SeverityWarning); n.Message != "50%" || n.Severity != "WARNING" {
		t.Errorf("%+v", n)
	}
}
