package tidy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAnomalies checks the table of anomalies in docs/transactions.md: each cell
// links to a scenario that runs at the level of its column, beside which stands a result.
func TestAnomalies(t *testing.T) {
	text, err := os.ReadFile("../../docs/transactions.md")
	if err != nil {
		t.Fatal(err)
	}
	levels := []string{"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"}
	link := regexp.MustCompile(`^\[([^\]]+)\]\(([^)]+\.spec)\)$`)
	rows := 0
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.Contains(line, "testdata/isolation/") || len(cells) != 4 {
			continue
		}
		rows++
		for i, level := range levels {
			m := link.FindStringSubmatch(strings.TrimSpace(cells[i+1]))
			if m == nil {
				t.Errorf("%s, %s: no link to a scenario: %s", cells[0], level, cells[i+1])
				continue
			}
			checkAnomaly(t, filepath.Join("../../docs", m[2]), level, m[1])
		}
	}
	if rows < 11 {
		t.Errorf("%d anomalies in the table", rows)
	}
}

func checkAnomaly(t *testing.T, spec, level, says string) {
	t.Helper()
	scenario, err := os.ReadFile(spec)
	if err != nil {
		t.Error(err)
		return
	}
	result, err := os.ReadFile(strings.TrimSuffix(spec, ".spec") + ".out")
	if err != nil {
		t.Error(err)
		return
	}
	// READ COMMITTED is what BEGIN alone gives, too.
	if !strings.Contains(string(scenario), level) && !(level == "READ COMMITTED" && strings.Contains(string(scenario), "{ BEGIN; }")) {
		t.Errorf("%s does not run at %s", spec, level)
	}
	if strings.Contains(says, "40001") && !strings.Contains(string(result), "could not serialize access") {
		t.Errorf("%s: nothing fails with 40001", spec)
	}
	if strings.Contains(says, "waits") && !strings.Contains(string(result), "<waiting ...>") {
		t.Errorf("%s: nothing waits", spec)
	}
}
