package sql

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestZZ(t *testing.T) {
	f := os.Getenv("ZSQL")
	if f == "" {
		t.Skip()
	}
	b, _ := os.ReadFile(f)
	x, r := testSession(t, testServer(t))
	for _, q := range strings.Split(string(b), ";\n") {
		if strings.TrimSpace(q) == "" {
			continue
		}
		fmt.Println(">", q)
		fmt.Print(run(x, r, q))
	}
}
