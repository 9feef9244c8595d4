package exec

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// createFunction stores a function of language SQL. Other languages have no interpreter here.
func (d *ddl) createFunction(c *plan.CreateFunction) error {
	schema, _, err := d.creationSchema(c.Name, false)
	if err != nil {
		return err
	}
	f := &catalog.Function{
		Meta: catalog.Meta{Name: c.Name.Name, Schema: schema, Owner: d.bind.User()},
		Kind: 'f', Volatility: 'v', Parallel: 'u', Cost: 100, ReturnsSet: c.Set,
	}
	if c.Procedure {
		f.Kind = 'p'
	}
	language := "sql"
	for _, o := range c.Options {
		if o.Name == "language" {
			language = strings.ToLower(plan.OptionText(o.Value))
		}
	}
	if err := d.mayUseLanguage(language); err != nil {
		return err
	}
	if err := functionOptions(f, c); err != nil {
		return err
	}
	if err := d.functionArgs(f, c); err != nil {
		return err
	}
	if err := d.functionSettings(f, c.Settings); err != nil {
		return err
	}
	var body []byte
	var depends []catalog.Dependency
	if f.Language == "sql" {
		if body, depends, err = d.functionBody(f, c.Body); err != nil {
			return errorOfBody(err, f.Name, f.Source, c.Text)
		}
	} else if f.Language != "internal" {
		d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.FeatureNotSupported, "function \"%s\" in language \"%s\" is stored but cannot be called", f.Name, f.Language))
	}
	f.Body, f.Depends = body, append(f.Depends, depends...)
	if err := d.view.LockName(d.ctx, catalog.ClassFunction, schema, f.Name); err != nil {
		return err
	}
	for _, old := range d.view.FunctionsByName(schema, f.Name) {
		if slices.Equal(old.ArgTypes, f.ArgTypes) {
			return d.replaceFunction(c, old, f)
		}
	}
	if f.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	return d.put(f)
}

func functionOptions(f *catalog.Function, c *plan.CreateFunction) error {
	for _, o := range c.Options {
		text := plan.OptionText(o.Value)
		switch o.Name {
		case "language":
			f.Language = strings.ToLower(text)
		case "as":
			if list, ok := o.Value.([]string); ok && len(list) > 1 {
				return pgerr.New(pgerr.InvalidFunctionDefinition, "only one AS item needed for language \"%s\"", f.Language)
			}
			f.Source = text
		case "volatility":
			f.Volatility = text[0]
		case "strict":
			f.Strict, _ = o.Bool()
		case "security":
			f.SecurityDef, _ = o.Bool()
		case "leakproof":
			f.Leakproof, _ = o.Bool()
		case "parallel":
			if !slices.Contains([]string{"safe", "restricted", "unsafe"}, text) {
				return pgerr.New(pgerr.SyntaxError, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE")
			}
			f.Parallel = text[0]
		case "cost", "rows":
			if err := functionCost(f, o); err != nil {
				return err
			}
		case "window", "transform", "support":
			return pgerr.Unsupported("option \"%s\" of CREATE FUNCTION is not supported", o.Name)
		}
	}
	if f.Language == "" && c.Body != nil {
		f.Language = "sql"
	}
	switch f.Language {
	case "":
		return pgerr.New(pgerr.InvalidFunctionDefinition, "no language specified")
	case "sql":
	case "plpgsql": // kept, so that a schema can be loaded; a call is refused
	case "internal": // another name for a built-in function
		if functions.BySource(f.Source) == nil {
			return pgerr.New(pgerr.UndefinedFunction, "there is no built-in function named \"%s\"", f.Source)
		}
	case "c", "plpython3u", "plperl", "pltcl":
		return pgerr.Unsupported("functions in language \"%s\" are not supported", f.Language)
	default:
		return pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", f.Language)
	}
	if c.Body == nil && !slices.ContainsFunc(c.Options, func(o plan.Option) bool { return o.Name == "as" }) {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "no function body specified")
	}
	return nil
}

func functionCost(f *catalog.Function, o plan.Option) error {
	var v float32
	switch n := o.Value.(type) {
	case int64:
		v = float32(n)
	case float64:
		v = float32(n)
	}
	if v <= 0 {
		return pgerr.New(pgerr.InvalidParameterValue, "%s must be positive", strings.ToUpper(o.Name))
	}
	if o.Name == "cost" {
		f.Cost = v
		return nil
	}
	if !f.ReturnsSet {
		return pgerr.New(pgerr.InvalidParameterValue, "ROWS is not applicable when function does not return a set")
	}
	f.Rows = v
	return nil
}

// functionArgs fills in the parameters and the result.
func (d *ddl) functionArgs(f *catalog.Function, c *plan.CreateFunction) error {
	outs, named := []OID{}, false
	for i, a := range c.Args {
		typ := a.Type.Type.OID
		if err := d.mayUseType(typ); err != nil {
			return err
		}
		if a.Mode != 'o' && a.Mode != 't' {
			f.ArgTypes = append(f.ArgTypes, typ)
			if len(f.Defaults) > 0 && a.Default == nil {
				return pgerr.New(pgerr.InvalidFunctionDefinition, "input parameters after one with a default value must also have defaults")
			}
		}
		if a.Mode == 'o' || a.Mode == 'b' || a.Mode == 't' {
			outs = append(outs, typ)
		}
		if a.Mode == 'v' {
			if f.Variadic = functions.VariadicElement(d.env, typ); f.Variadic == 0 || typ == types.AnyOID {
				return pgerr.New(pgerr.InvalidFunctionDefinition, "VARIADIC parameter must be an array")
			}
		}
		f.AllArgTypes, f.ArgModes, f.ArgNames = append(f.AllArgTypes, typ), append(f.ArgModes, a.Mode), append(f.ArgNames, a.Name)
		named = named || a.Name != ""
		if err := d.repeatedName(c.Args[:i], a); err != nil {
			return err
		}
		if a.Default != nil && (a.Mode == 'o' || a.Mode == 't') {
			return pgerr.New(pgerr.InvalidFunctionDefinition, "only input parameters can have default values")
		}
		if a.Default != nil {
			s, err := d.bind.Store(plan.StoredRequest{Kind: plan.StoredArgument, Raw: a.Default, Column: a.Name, Type: a.Type.Type})
			if err != nil {
				return err
			}
			f.Defaults, f.Depends = append(f.Defaults, s.Encoded), append(f.Depends, s.Depends...)
		}
	}
	if !named {
		f.ArgNames = nil
	}
	if len(outs) == 0 && f.Variadic == 0 {
		f.AllArgTypes, f.ArgModes = nil, nil
	}
	switch {
	case len(outs) == 1 && !c.Procedure:
		f.Returns = outs[0]
	case len(outs) > 0:
		f.Returns = types.RecordOID
	case c.Procedure:
		f.Returns = types.VoidOID
	}
	if slices.ContainsFunc(c.Args, func(a plan.FunctionArg) bool { return a.Mode == 't' }) {
		f.ReturnsSet = true
		if f.Rows == 0 {
			f.Rows = 1000
		}
	} else if c.Returns != nil {
		if f.Returns != 0 && f.Returns != c.Returns.Type.OID {
			return pgerr.New(pgerr.InvalidFunctionDefinition, "function result type must be %s because of OUT parameters", d.env.FormatType(f.Returns, -1))
		}
		f.Returns = c.Returns.Type.OID
		if err := d.mayUseType(f.Returns); err != nil {
			return err
		}
	}
	if f.Returns == 0 {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "function result type must be specified")
	}
	if f.ReturnsSet && f.Rows == 0 {
		f.Rows = 1000
	}
	return d.checkPolymorphic(f, outs)
}

// repeatedName refuses a parameter with the name of an earlier one. A pure input and a pure output may share one.
func (d *ddl) repeatedName(before []plan.FunctionArg, a plan.FunctionArg) error {
	only := func(mode byte, modes string) bool { return strings.IndexByte(modes, mode) >= 0 }
	for _, p := range before {
		apart := only(p.Mode, "iv") && only(a.Mode, "ot") || only(p.Mode, "ot") && only(a.Mode, "iv")
		if a.Name != "" && p.Name == a.Name && !apart {
			return pgerr.New(pgerr.InvalidFunctionDefinition, "parameter name \"%s\" used more than once", a.Name)
		}
	}
	return nil
}

// checkPolymorphic refuses results whose type no call could determine.
func (d *ddl) checkPolymorphic(f *catalog.Function, outs []OID) error {
	for _, t := range append([]OID{f.Returns}, outs...) {
		if detail := functions.PolymorphicSignature(d.env, t, f.ArgTypes); detail != "" {
			return pgerr.New(pgerr.InvalidFunctionDefinition, "cannot determine result data type").WithDetail("%s", detail)
		}
	}
	if f.Returns == types.InternalOID && !slices.Contains(f.ArgTypes, types.InternalOID) {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "unsafe use of pseudo-type \"internal\"").
			WithDetail("A function returning \"internal\" must have at least one \"internal\" argument.")
	}
	return nil
}

// replaceFunction is OR REPLACE: the result and the parameters' names must stay.
func (d *ddl) replaceFunction(c *plan.CreateFunction, old, f *catalog.Function) error {
	if !c.Replace {
		return pgerr.New(pgerr.DuplicateFunction, "function \"%s\" already exists with same argument types", f.Name)
	}
	if old.Kind != f.Kind {
		return pgerr.New(pgerr.WrongObjectType, "cannot change routine kind")
	}
	if old.Returns != f.Returns || old.ReturnsSet != f.ReturnsSet {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "cannot change return type of existing function").
			WithHint("Use DROP FUNCTION %s first.", d.signature(old))
	}
	for i, name := range old.ArgNames {
		if name != "" && (i >= len(f.ArgNames) || f.ArgNames[i] != name) {
			return pgerr.New(pgerr.InvalidFunctionDefinition, "cannot change name of input parameter \"%s\"", name).
				WithHint("Use DROP FUNCTION %s first.", d.signature(old))
		}
	}
	if len(f.Defaults) < len(old.Defaults) {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "cannot remove parameter defaults from existing function").
			WithHint("Use DROP FUNCTION %s first.", d.signature(old))
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassFunction, old.OID); err != nil {
		return err
	}
	old = d.view.Function(old.OID)
	depends := f.Depends
	meta := old.Meta
	f.Meta = meta
	f.Depends = depends
	return d.put(f)
}

// functionSettings applies SET and RESET clauses. A setting has to be valid when it is given.
func (d *ddl) functionSettings(f *catalog.Function, sets []*plan.Set) error {
	var err error
	for _, s := range sets {
		if f.Settings, err = d.changeSettings(f.Settings, s); err != nil {
			return err
		}
	}
	if d.rt.WithSettings == nil || len(f.Settings) == 0 {
		return nil
	}
	restore, err := d.rt.WithSettings(f.Settings)
	if err != nil {
		return err
	}
	restore()
	return nil
}

// alterFunction is ALTER FUNCTION with new options.
func (d *ddl) alterFunction(a *plan.AlterFunction) error {
	f, err := d.functionNamed(string(a.Kind), a.Function)
	if err != nil {
		return err
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassFunction, f.OID); err != nil {
		return err
	}
	next := *d.view.Function(f.OID)
	if err := functionOptions(&next, &plan.CreateFunction{Options: a.Options, Body: "kept"}); err != nil {
		return err
	}
	next.Settings = slices.Clone(next.Settings)
	if err := d.functionSettings(&next, a.Settings); err != nil {
		return err
	}
	return d.put(&next)
}

// functionBody checks the body of an SQL function under the function's own settings.
func (d *ddl) functionBody(f *catalog.Function, raw plan.RawExpr) ([]byte, []catalog.Dependency, error) {
	if d.rt.WithSettings != nil && len(f.Settings) > 0 {
		restore, err := d.rt.WithSettings(f.Settings)
		if err != nil {
			return nil, nil, err
		}
		defer restore()
	}
	return d.bind.FunctionBody(f, raw)
}
