package exec

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// copyFormat is a COPY data format.
type copyFormat uint8

const (
	copyText copyFormat = iota
	copyCSV
	copyBinary
)

// copyOptions are the checked options of a COPY.
type copyOptions struct {
	format      copyFormat
	delimiter   byte
	null        string
	header      bool
	match       bool // the header line must name the columns
	quote       byte
	escape      byte
	forceQuote  map[string]bool
	quoteAll    bool
	forceNot    map[string]bool
	forceNull   map[string]bool
	given       map[string]bool
	delimText   string
	quoteText   string
	escapeText  string
	nullGiven   bool
	headerGiven bool
	encoding    *charset.Encoding // nil: the client's
}

// fileEncoding is the encoding of the data in text and csv.
func (o *copyOptions) fileEncoding(env *types.Env) *charset.Encoding {
	if o.encoding != nil {
		return o.encoding
	}
	return env.Client
}

// copyOption reads one option.
type copyOption func(o *copyOptions, c *plan.Copy, opt *plan.Option) error

var copyOptionTable = map[string]copyOption{
	"format": (*copyOptions).setFormat,
	"freeze": func(_ *copyOptions, _ *plan.Copy, opt *plan.Option) error { _, err := copyBool(opt); return err },
	"delimiter": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) (err error) {
		o.delimText, err = copyString(opt)
		return err
	},
	"null": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) (err error) {
		o.nullGiven = true
		o.null, err = copyString(opt)
		return err
	},
	"header": (*copyOptions).setHeader,
	"quote": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) (err error) {
		o.quoteText, err = copyString(opt)
		return err
	},
	"escape": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) (err error) {
		o.escapeText, err = copyString(opt)
		return err
	},
	"force_quote": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) (err error) {
		if list, ok := opt.Value.([]string); opt.Value == "*" || ok && len(list) == 1 && list[0] == "*" {
			o.quoteAll = true
			return nil
		}
		o.forceQuote, err = copyNames(opt)
		return err
	},
	"force_not_null": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) (err error) {
		o.forceNot, err = copyNames(opt)
		return err
	},
	"force_null": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) (err error) {
		o.forceNull, err = copyNames(opt)
		return err
	},
	"encoding": func(o *copyOptions, _ *plan.Copy, opt *plan.Option) error {
		s, err := copyString(opt)
		if err != nil {
			return err
		}
		if o.encoding = charset.Find(s); o.encoding == nil {
			return pgerr.New(pgerr.InvalidParameterValue, "argument to option \"%s\" must be a valid encoding name", opt.Name)
		}
		if !o.encoding.Supported() {
			return pgerr.New(pgerr.UndefinedFunction, "default conversion function for encoding \"%s\" to \"UTF8\" does not exist", o.encoding.Name)
		}
		return nil
	},
}

func copyString(opt *plan.Option) (string, error) {
	if s, ok := opt.Value.(string); ok {
		return s, nil
	}
	return "", pgerr.New(pgerr.SyntaxError, "%s requires a parameter", opt.Name)
}

func copyNames(opt *plan.Option) (map[string]bool, error) {
	list, ok := opt.Value.([]string)
	if !ok {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "argument to option \"%s\" must be a list of column names", opt.Name)
	}
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out, nil
}

// copyBool reads a boolean option; no value means true.
func copyBool(opt *plan.Option) (bool, error) {
	switch v := opt.Value.(type) {
	case nil:
		return true, nil
	case bool:
		return v, nil
	case int64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case string:
		switch strings.ToLower(v) {
		case "true", "on", "1":
			return true, nil
		case "false", "off", "0":
			return false, nil
		}
	}
	return false, pgerr.New(pgerr.SyntaxError, "%s requires a Boolean value", opt.Name)
}

func (o *copyOptions) setFormat(_ *plan.Copy, opt *plan.Option) error {
	s, err := copyString(opt)
	switch {
	case err != nil:
		return err
	case s == "text":
		o.format = copyText
	case s == "csv":
		o.format = copyCSV
	case s == "binary":
		o.format = copyBinary
	default:
		return pgerr.New(pgerr.InvalidParameterValue, "COPY format \"%s\" not recognized", s).At(opt.Pos)
	}
	return nil
}

func (o *copyOptions) setHeader(c *plan.Copy, opt *plan.Option) error {
	o.headerGiven = true
	if s, ok := opt.Value.(string); ok && strings.EqualFold(s, "match") {
		if !c.From {
			return pgerr.New(pgerr.FeatureNotSupported, `cannot use "match" with HEADER in COPY TO`)
		}
		o.header, o.match = true, true
		return nil
	}
	v, err := copyBool(opt)
	if err != nil {
		return pgerr.New(pgerr.SyntaxError, `%s requires a Boolean value or "match"`, opt.Name)
	}
	o.header = v
	return nil
}

// readCopyOptions reads and checks the options of a COPY as PostgreSQL does.
func readCopyOptions(c *plan.Copy) (*copyOptions, error) {
	o := &copyOptions{given: map[string]bool{}}
	for i := range c.Options {
		opt := &c.Options[i]
		set, ok := copyOptionTable[opt.Name]
		if !ok {
			return nil, pgerr.New(pgerr.SyntaxError, "option \"%s\" not recognized", opt.Name).At(opt.Pos)
		}
		if o.given[opt.Name] {
			return nil, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(opt.Pos)
		}
		o.given[opt.Name] = true
		if err := set(o, c, opt); err != nil {
			return nil, err
		}
	}
	if err := o.checkBinary(); err != nil {
		return nil, err
	}
	o.defaults()
	if err := o.checkDelimiter(); err != nil {
		return nil, err
	}
	return o, o.checkCSV(c)
}

func (o *copyOptions) checkBinary() error {
	if o.format != copyBinary {
		return nil
	}
	switch {
	case o.given["delimiter"]:
		return pgerr.New(pgerr.SyntaxError, "cannot specify DELIMITER in BINARY mode")
	case o.nullGiven:
		return pgerr.New(pgerr.SyntaxError, "cannot specify NULL in BINARY mode")
	}
	return nil
}

func (o *copyOptions) defaults() {
	if !o.given["delimiter"] {
		o.delimText = "\t"
		if o.format == copyCSV {
			o.delimText = ","
		}
	}
	if !o.nullGiven && o.format == copyText {
		o.null = `\N`
	}
	if o.format == copyCSV {
		if !o.given["quote"] {
			o.quoteText = `"`
		}
		if !o.given["escape"] {
			o.escapeText = o.quoteText
		}
	}
}

func (o *copyOptions) checkDelimiter() error {
	if len(o.delimText) != 1 {
		return pgerr.New(pgerr.FeatureNotSupported, "COPY delimiter must be a single one-byte character")
	}
	o.delimiter = o.delimText[0]
	switch {
	case o.delimiter == '\n' || o.delimiter == '\r':
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(o.null, "\r\n"):
		return pgerr.New(pgerr.InvalidParameterValue, "COPY null representation cannot use newline or carriage return")
	case o.format != copyCSV && strings.IndexByte(`\.abcdefghijklmnopqrstuvwxyz0123456789`, o.delimiter) >= 0:
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter cannot be \"%s\"", o.delimText)
	case o.headerGiven && o.header && o.format == copyBinary:
		return pgerr.New(pgerr.FeatureNotSupported, "cannot specify HEADER in BINARY mode")
	}
	return nil
}

func (o *copyOptions) checkCSV(c *plan.Copy) error {
	csv := o.format == copyCSV
	unsupported := func(text string) error { return pgerr.New(pgerr.FeatureNotSupported, "%s", text) }
	switch {
	case !csv && o.given["quote"]:
		return unsupported("COPY quote available only in CSV mode")
	case csv && len(o.quoteText) != 1:
		return unsupported("COPY quote must be a single one-byte character")
	case csv && o.delimText == o.quoteText:
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter and quote must be different")
	case !csv && o.given["escape"]:
		return unsupported("COPY escape available only in CSV mode")
	case csv && len(o.escapeText) != 1:
		return unsupported("COPY escape must be a single one-byte character")
	case !csv && o.given["force_quote"]:
		return unsupported("COPY force quote available only in CSV mode")
	case o.given["force_quote"] && c.From:
		return unsupported("COPY force quote only available using COPY TO")
	case !csv && o.given["force_not_null"]:
		return unsupported("COPY force not null available only in CSV mode")
	case o.given["force_not_null"] && !c.From:
		return unsupported("COPY force not null only available using COPY FROM")
	case !csv && o.given["force_null"]:
		return unsupported("COPY force null available only in CSV mode")
	case o.given["force_null"] && !c.From:
		return unsupported("COPY force null only available using COPY FROM")
	case strings.IndexByte(o.null, o.delimiter) >= 0 && o.format != copyBinary:
		return unsupported("COPY delimiter must not appear in the NULL specification")
	case csv && strings.Contains(o.null, o.quoteText):
		return unsupported("CSV quote character must not appear in the NULL specification")
	}
	if csv {
		o.quote, o.escape = o.quoteText[0], o.escapeText[0]
	}
	return nil
}

// copyColumns returns the attributes (0-based) that a COPY of a table moves, in order.
func copyColumns(rel *catalog.Relation, names []string) ([]int, error) {
	if len(names) == 0 {
		var out []int
		for i := range rel.Columns {
			if c := &rel.Columns[i]; !c.Dropped && c.Generated == 0 {
				out = append(out, i)
			}
		}
		return out, nil
	}
	var out []int
	seen := map[string]bool{}
	for _, name := range names {
		at := -1
		for i := range rel.Columns {
			if c := &rel.Columns[i]; !c.Dropped && c.Name == name {
				at = i
			}
		}
		switch {
		case at < 0:
			return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, rel.Name)
		case rel.Columns[at].Generated != 0:
			return nil, pgerr.New(pgerr.InvalidColumnReference, "column \"%s\" is a generated column", name).
				WithDetail("Generated columns cannot be used in COPY.")
		case seen[name]:
			return nil, pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", name)
		}
		seen[name] = true
		out = append(out, at)
	}
	return out, nil
}

// checkNames verifies that the columns of FORCE options are among those copied.
func (o *copyOptions) checkNames(rel *catalog.Relation, attrs []int) error {
	copied := map[string]bool{}
	for _, a := range attrs {
		copied[rel.Columns[a].Name] = true
	}
	for _, f := range []struct {
		name string
		set  map[string]bool
	}{{"FORCE_QUOTE", o.forceQuote}, {"FORCE_NOT_NULL", o.forceNot}, {"FORCE_NULL", o.forceNull}} {
		for name := range f.set {
			if !copied[name] {
				return pgerr.New(pgerr.InvalidColumnReference, "%s column \"%s\" not referenced by COPY", f.name, name)
			}
		}
	}
	return nil
}
