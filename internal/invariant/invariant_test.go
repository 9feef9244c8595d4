package invariant

import (
	"errors"
	"testing"
)

func TestCheckAndFail(t *testing.T) {
	Check(true, "fine")
	for want, f := range map[string]func(){
		"invariant violated: 3 is not 4": func() { Check(false, "%d is not %d", 3, 4) },
		"invariant violated: here":       func() { Fail("here") },
	} {
		func() {
			defer func() {
				err, ok := recover().(error)
				var v *Violation
				if !ok || !errors.As(err, &v) || err.Error() != want {
					t.Errorf("got %v, want %q", err, want)
				}
			}()
			f()
		}()
	}
}
