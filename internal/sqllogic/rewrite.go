package sqllogic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Rewrite plays a script and returns its text with the answers of the server in place of the expectations: the values of
// queries, the SQLSTATE of statements that fail. Statements keep their ok or error, so that a mistyped script is noticed:
// their failures, and queries that fail, are returned.
func Rewrite(ctx context.Context, connect Connect, script *Script, text string, hashThreshold int) (string, []Failure) {
	p := player{connect: connect, opts: Options{Timeout: 30 * time.Second}, labels: map[string]string{}}
	defer p.close()
	lines := strings.Split(text, "\n")
	var out []string
	var failures []Failure
	next := 0 // index of the first line not copied yet
	for i := range script.Records {
		rec := &script.Records[i]
		if rec.Skipped || rec.Own || rec.Kind == Halt {
			continue
		}
		values, err := p.exec(ctx, rec.SQL, rec.Types)
		if rec.Kind == Statement {
			var pgErr *pgconn.PgError
			if rec.WantError && errors.As(err, &pgErr) {
				out = append(out, lines[next:rec.headLine-1]...)
				out = append(out, "statement error "+pgErr.Code)
				next = rec.headLine
			} else if reason := judge(rec, err); reason != "" {
				failures = append(failures, Failure{script.Name, rec.Line, rec.SQL, reason})
			}
			continue
		}
		if err != nil || rec.expectedLine == 0 {
			failures = append(failures, Failure{script.Name, rec.Line, rec.SQL, fmt.Sprintf("no result: %v", err)})
			continue
		}
		values = arrange(values, len(rec.Types), rec.Sort)
		if hashThreshold > 0 && len(values) > hashThreshold {
			values = []string{digest(values)}
		}
		out = append(out, lines[next:rec.expectedLine-1]...)
		out = append(out, values...)
		next = min(rec.endLine-1, len(lines))
	}
	return strings.Join(append(out, lines[next:]...), "\n"), failures
}
