package torture

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// Report is what a run has done and found.
type Report struct {
	Seed            uint64           `json:"seed"`
	Seconds         float64          `json:"seconds"`
	Connections     int              `json:"connections"`
	Kills           int              `json:"kills"`
	KillsInRecovery int              `json:"kills_in_recovery"`
	Checks          int              `json:"checks"`
	Rows            int64            `json:"rows_compared"`
	Work            Counts           `json:"transactions"`
	DoubtCommitted  int64            `json:"in_doubt_committed"`
	DoubtAbsent     int64            `json:"in_doubt_absent"`
	Backups         int              `json:"backups_restored"`
	BackupsCutOff   int              `json:"backups_cut_off"`
	Starts          int              `json:"starts"`
	StartMeanMillis float64          `json:"start_mean_ms"`
	StartMaxMillis  float64          `json:"start_max_ms"`
	Violations      map[string]int64 `json:"violations"`
	Detail          string           `json:"detail,omitempty"`
}

// OK reports whether the server kept every promise.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

func (r *Report) start(d time.Duration) {
	millis := float64(d.Microseconds()) / 1000
	r.StartMeanMillis = (r.StartMeanMillis*float64(r.Starts) + millis) / float64(r.Starts+1)
	r.Starts++
	r.StartMaxMillis = max(r.StartMaxMillis, millis)
}

// Line is the state in one line, for people who wait.
func (r *Report) Line() string {
	return fmt.Sprintf("%4.0f s  %d kills  %d transactions acknowledged, none lost  %d rows compared  %d backups restored",
		r.Seconds, r.Kills, r.Work.Acknowledged, r.Rows, r.Backups)
}

// Table writes the report for people.
func (r *Report) Table(w io.Writer) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-34s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(w, "omendb torture: seed %d, %.0f s, %d connections\n\n", r.Seed, r.Seconds, r.Connections)
	line("SIGKILLs", "%d (%d of them while starting)", r.Kills, r.KillsInRecovery)
	line("restarts, from exec to an answer", "%d; %.0f ms on average, %.0f ms at most", r.Starts, r.StartMeanMillis, r.StartMaxMillis)
	line("transactions acknowledged", "%d", r.Work.Acknowledged)
	kinds := slices.Clone(kindNames[:])
	for _, k := range kinds {
		line("  "+k, "%d", r.Work.Kinds[k])
	}
	line("rolled back on purpose", "%d", r.Work.RolledBack)
	line("refused by constraints, as they must", "%d", r.Work.Refused)
	line("conflicts tried again", "%d", r.Work.Retried)
	line("in doubt when the server was killed", "%d: %d there, %d not", r.DoubtCommitted+r.DoubtAbsent, r.DoubtCommitted, r.DoubtAbsent)
	line("looks at everything", "%d, %d rows by table and by index", r.Checks, r.Rows)
	line("backups under load", "%d restored and compared, %d cut off by a kill", r.Backups, r.BackupsCutOff)
	fmt.Fprintln(w)
	for _, c := range classes {
		line(string(c), "%d", r.Violations[string(c)])
	}
	verdict := "\nEverything that was acknowledged is there; nothing else is."
	if !r.OK() {
		verdict = "\nVIOLATED. " + r.Detail
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}
