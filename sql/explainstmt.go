package sql

import (
	"context"
	"strings"
	"time"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/explain"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
)

// explainFormat returns the output format in lower case.
func explainFormat(s *plan.Explain) string {
	for _, o := range s.Options {
		if o.Name == "format" {
			return strings.ToLower(optionText(o.Value))
		}
	}
	return "text"
}

func explainOptions(s *plan.Explain) (explain.Options, error) {
	o := explain.Options{Costs: true, Timing: true, Format: explainFormat(s)}
	summary, timing := false, false
	for _, opt := range s.Options {
		b := optionBool(opt.Value)
		switch opt.Name {
		case "analyze":
			o.Analyze = b
		case "verbose":
			o.Verbose = b
		case "costs":
			o.Costs = b
		case "buffers":
			o.Buffers = b
		case "timing":
			o.Timing, timing = b, true
		case "settings":
			o.Settings = b
		case "summary":
			o.Summary, summary = b, true
		case "wal", "generic_plan":
			return o, pgerr.New(pgerr.FeatureNotSupported, "EXPLAIN option \"%s\" is not supported", opt.Name)
		case "format":
		default:
			return o, pgerr.New(pgerr.SyntaxError, "unrecognized EXPLAIN option \"%s\"", opt.Name)
		}
	}
	if o.Format != "text" && o.Format != "json" {
		return o, explainFormatError(o.Format)
	}
	if timing && !o.Analyze && o.Timing {
		return o, pgerr.New(pgerr.InvalidParameterValue, "EXPLAIN option TIMING requires ANALYZE")
	}
	if !summary {
		o.Summary = o.Analyze
	}
	return o, nil
}

// runExplain is EXPLAIN.
func (x *Session) runExplain(ctx context.Context, s *plan.Explain, params []column.Datum, sink Sink) error {
	o, err := explainOptions(s)
	if err != nil {
		return err
	}
	start := x.srv.opts.Clock.Now()
	st, args, err := x.explained(ctx, s, params)
	if err != nil {
		return err
	}
	if st == nil {
		return x.sendPlan(s, []string{"Utility statements have no plan structure"}, sink)
	}
	if err := x.checkAccess(st.Access); err != nil {
		return err
	}
	var run *explain.Run
	if o.Analyze {
		run = &explain.Run{Planning: x.srv.opts.Clock.Since(start)}
		if run.Stats, run.Execution, err = x.measure(ctx, st, args); err != nil {
			return err
		}
	}
	return x.sendPlan(s, explain.Explain(x.env, st, o, run), sink)
}

func (x *Session) sendPlan(s *plan.Explain, lines []string, sink Sink) error {
	rows := make([][]column.Datum, len(lines))
	for i, l := range lines {
		rows[i] = []column.Datum{column.StringDatum(l)}
	}
	return x.sendRows(utilityOutput(s), rows, "EXPLAIN", sink)
}

// explained plans what EXPLAIN speaks of; nil for statements without a plan.
func (x *Session) explained(ctx context.Context, s *plan.Explain, params []column.Datum) (*plan.Statement, []column.Datum, error) {
	q := s.Query
	switch u := s.Statement.(type) {
	case *plan.Execute:
		p, err := x.statement(u.Name)
		if err != nil {
			return nil, nil, err
		}
		c, err := x.ready(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		args, err := x.executeArgs(ctx, u, c, params)
		return c.query, args, err
	case *plan.CreateTableAs:
		q = u.Query
	case *plan.DeclareCursor:
		q = u.Query
	}
	if q == nil {
		return nil, nil, nil
	}
	st, err := planner.Plan(x.plannerEnv(ctx, nil), plan.CloneQuery(q))
	return st, params, err
}

// measure runs a statement for its figures; its rows go nowhere.
func (x *Session) measure(ctx context.Context, st *plan.Statement, params []column.Datum) (exec.Instrumentation, time.Duration, error) {
	if err := x.checkAccess(st.Access); err != nil {
		return nil, 0, err
	}
	if err := x.beforeWriteOf(st); err != nil {
		return nil, 0, err
	}
	x.activity.statements++
	if err := x.txn.AwaitSafeSnapshot(ctx); err != nil {
		return nil, 0, err
	}
	rt := x.runtime(ctx, params)
	rt.Instrument = true
	defer func() {
		rt.Snapshot.Close()
		rt.Release()
	}()
	start := x.srv.opts.Clock.Now()
	rows, err := exec.Run(rt, st)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var b column.Batch
	for {
		ok, err := rows.Next(&b)
		if err != nil {
			return nil, 0, err
		}
		if !ok {
			break
		}
	}
	if !st.ReadOnly {
		x.txn.NextCommand()
	}
	return rows, x.srv.opts.Clock.Since(start), nil
}

// explainFormatError tells a format that we do not write from one that is none.
func explainFormatError(format string) error {
	if format == "xml" || format == "yaml" {
		return pgerr.New(pgerr.FeatureNotSupported, "EXPLAIN format \"%s\" is not supported", format)
	}
	return pgerr.New(pgerr.InvalidParameterValue, "unrecognized value for EXPLAIN option \"format\": \"%s\"", format)
}
