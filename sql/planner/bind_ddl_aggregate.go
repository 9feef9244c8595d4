package planner

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// aggregateDef collects what CREATE AGGREGATE says.
type aggregateDef struct {
	b        *binder
	f        *catalog.Function
	oldStyle bool
	names    map[string][]string // functions and operators by option
	base     *pg.Node
	trans    *pg.TypeName
	warnings []*pgerr.Error
	numeric  bool // the number of direct arguments was given: an ordered-set aggregate
}

// aggregateIgnored are the options that only matter to how PostgreSQL keeps states: their size, their
// transfer between workers, and moving frames, which are computed afresh here.
var aggregateIgnored = []string{"sspace", "msspace", "finalfunc_modify", "mfinalfunc_modify", "serialfunc", "deserialfunc",
	"msfunc", "minvfunc", "mfinalfunc", "mfinalfunc_extra", "mstype", "minitcond"}

// createAggregate binds CREATE AGGREGATE and looks up its functions.
func (b *binder) createAggregate(c *pg.DefineStmt) plan.Utility {
	d := &aggregateDef{b: b, oldStyle: c.Oldstyle, names: map[string][]string{}, f: &catalog.Function{
		Kind: 'a', Language: "internal", Source: "aggregate_dummy", Volatility: 'i', Parallel: 'u', Cost: 1,
		Aggregate: catalog.Aggregate{Kind: 'n'},
	}}
	for _, n := range c.Definition {
		d.option(n.GetDefElem())
	}
	if d.trans == nil {
		b.failf(-1, pgerr.InvalidFunctionDefinition, "aggregate stype must be specified")
	}
	if d.names["sfunc"] == nil {
		b.failf(-1, pgerr.InvalidFunctionDefinition, "aggregate sfunc must be specified")
	}
	if d.oldStyle {
		d.oldArguments()
	} else {
		d.arguments(c.Args)
	}
	d.transition()
	d.result()
	return &plan.CreateAggregate{Name: b.qname(c.Defnames), Replace: c.Replace, Function: d.f, Warnings: d.warnings}
}

// option reads one element of the definition.
func (d *aggregateDef) option(e *pg.DefElem) {
	b, a := d.b, &d.f.Aggregate
	name := strings.TrimSuffix(e.Defname, "1")
	switch {
	case name == "sfunc" || name == "finalfunc" || name == "combinefunc" || name == "sortop":
		d.names[name] = optionName(e.Arg)
	case name == "stype":
		d.trans = e.Arg.GetTypeName()
	case name == "basetype":
		d.base = e.Arg
	case name == "initcond":
		a.HasInit, a.InitVal = true, plan.OptionText(b.optionValue(e.Arg))
	case name == "finalfunc_extra":
		a.FinalExtra = true
	case name == "hypothetical":
		a.Kind = 'h'
	case name == "parallel":
		text := plan.OptionText(b.optionValue(e.Arg))
		if !slices.Contains([]string{"safe", "restricted", "unsafe"}, text) {
			b.failf(-1, pgerr.SyntaxError, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE")
		}
		d.f.Parallel = text[0]
	case slices.Contains(aggregateIgnored, name):
	default:
		d.warnings = append(d.warnings, pgerr.Notice(pgerr.SeverityWarning, pgerr.SyntaxError, "aggregate attribute \"%s\" not recognized", e.Defname))
	}
}

// optionName returns the qualified name that an option's value is.
func optionName(n *pg.Node) []string {
	switch v := n.GetNode().(type) {
	case *pg.Node_String_:
		return []string{v.String_.Sval}
	case *pg.Node_TypeName:
		return names(v.TypeName.Names)
	case *pg.Node_List:
		return names(v.List.Items)
	}
	return []string{""}
}

// oldArguments is the form in which BASETYPE says the argument's type, ANY none.
func (d *aggregateDef) oldArguments() {
	b := d.b
	if d.base == nil {
		b.failf(-1, pgerr.InvalidFunctionDefinition, "aggregate input type must be specified")
	}
	parts := optionName(d.base)
	if strings.EqualFold(parts[len(parts)-1], "any") {
		return
	}
	t := d.base.GetTypeName()
	if t == nil {
		t = &pg.TypeName{Names: []*pg.Node{d.base}, Typemod: -1, Location: -1}
	}
	d.f.ArgTypes = []OID{b.resolveTypeName(t).OID}
}

// arguments reads the parameters; of an ordered-set aggregate those before ORDER BY are direct.
func (d *aggregateDef) arguments(list []*pg.Node) {
	b, f := d.b, d.f
	if d.base != nil {
		b.failf(-1, pgerr.InvalidFunctionDefinition, "basetype is redundant with aggregate input type specification")
	}
	if len(list) > 1 {
		if n := list[1].GetInteger(); n != nil && n.Ival >= 0 {
			f.Aggregate.DirectArgs, d.numeric = int16(n.Ival), true
		}
	}
	if f.Aggregate.Kind != 'h' && d.numeric {
		f.Aggregate.Kind = 'o'
	}
	if f.Aggregate.Kind == 'h' && !d.numeric {
		b.failf(-1, pgerr.InvalidFunctionDefinition, "only ordered-set aggregates can be hypothetical")
	}
	named := false
	for _, n := range list[0].GetList().GetItems() {
		p := n.GetFunctionParameter()
		mode := parameterModes[p.Mode]
		if mode != 'i' && mode != 'v' {
			b.failf(-1, pgerr.InvalidFunctionDefinition, "aggregates cannot have output arguments")
		}
		if p.Defexpr != nil {
			b.failf(-1, pgerr.InvalidFunctionDefinition, "aggregates cannot have default arguments")
		}
		t := b.resolveTypeName(p.ArgType).OID
		if mode == 'v' {
			if f.Variadic = functions.VariadicElement(b.env.Types, t); f.Variadic == 0 {
				b.failf(-1, pgerr.InvalidFunctionDefinition, "VARIADIC parameter must be an array")
			}
		}
		f.ArgTypes, f.ArgModes, f.ArgNames = append(f.ArgTypes, t), append(f.ArgModes, mode), append(f.ArgNames, p.Name)
		named = named || p.Name != ""
	}
	if f.Variadic != 0 {
		f.AllArgTypes = f.ArgTypes
	} else {
		f.ArgModes = nil
	}
	if !named {
		f.ArgNames = nil
	}
}

// transition finds the transition and combine functions.
func (d *aggregateDef) transition() {
	b, f, a := d.b, d.f, &d.f.Aggregate
	a.TransType = b.resolveTypeName(d.trans).OID
	if t := b.env.Types.Type(a.TransType); t != nil && t.Kind == 'p' && !functions.IsPolymorphic(a.TransType) && a.TransType != types.InternalOID {
		b.failf(-1, pgerr.InvalidFunctionDefinition, "aggregate transition data type cannot be %s", b.typeName(a.TransType))
	}
	if detail := functions.PolymorphicSignature(b.env.Types, a.TransType, f.ArgTypes); detail != "" {
		b.fail(-1, pgerr.New(pgerr.InvalidFunctionDefinition, "cannot determine transition data type").WithDetail("%s", detail))
	}
	inputs := f.ArgTypes
	if a.Kind != 'n' {
		// With one VARIADIC parameter for both, the direct arguments are the aggregated ones' types, too.
		inputs = f.ArgTypes[max(0, min(int(a.DirectArgs), len(f.ArgTypes)-1)):]
	}
	fn, ret := d.lookup("sfunc", append([]OID{a.TransType}, inputs...))
	a.TransFn = fn.OID
	if ret != a.TransType {
		b.failf(-1, pgerr.DatatypeMismatch, "return type of transition function %s is not %s", dotted(d.names["sfunc"]), b.typeName(a.TransType))
	}
	if fn.Strict && !a.HasInit && (len(inputs) < 1 || !functions.BinaryCoercible(b.env.Types, inputs[0], a.TransType)) {
		b.failf(-1, pgerr.InvalidFunctionDefinition, "must not omit initial value when transition function is strict and transition type is not compatible with input type")
	}
	if a.HasInit && a.TransType != types.InternalOID && !functions.IsPolymorphic(a.TransType) {
		_, err := b.env.Types.In(a.TransType, -1, a.InitVal)
		b.check(-1, err)
	}
	if d.names["combinefunc"] != nil {
		fn, ret := d.lookup("combinefunc", []OID{a.TransType, a.TransType})
		a.CombineFn = fn.OID
		if ret != a.TransType {
			b.failf(-1, pgerr.DatatypeMismatch, "return type of combine function %s is not %s", dotted(d.names["combinefunc"]), b.typeName(a.TransType))
		}
	}
}

// result finds the final function and with it the result type.
func (d *aggregateDef) result() {
	b, f, a := d.b, d.f, &d.f.Aggregate
	f.Returns = a.TransType
	if d.names["finalfunc"] != nil {
		args := []OID{a.TransType}
		switch {
		case a.FinalExtra:
			args = append(args, f.ArgTypes...)
		case a.Kind != 'n':
			args = append(args, f.ArgTypes[:min(int(a.DirectArgs), len(f.ArgTypes))]...)
		}
		fn, ret := d.lookup("finalfunc", args)
		if a.FinalExtra && fn.Strict {
			b.failf(-1, pgerr.InvalidFunctionDefinition, "final function with extra arguments must not be declared STRICT")
		}
		a.FinalFn, f.Returns = fn.OID, ret
	}
	if detail := functions.PolymorphicSignature(b.env.Types, f.Returns, f.ArgTypes); detail != "" {
		b.fail(-1, pgerr.New(pgerr.DatatypeMismatch, "cannot determine result data type").WithDetail("%s", detail))
	}
	if f.Returns == types.InternalOID && !slices.Contains(f.ArgTypes, types.InternalOID) {
		b.fail(-1, pgerr.New(pgerr.InvalidFunctionDefinition, "unsafe use of pseudo-type \"internal\"").
			WithDetail("A function returning \"internal\" must have at least one \"internal\" argument."))
	}
	if parts := d.names["sortop"]; parts != nil {
		if len(f.ArgTypes) != 1 {
			b.failf(-1, pgerr.InvalidFunctionDefinition, "sort operator can only be specified for single-argument aggregates")
		}
		a.SortOp = d.sortOperator(parts)
	}
}

// sortOperator finds the operator by whose order the first value is the answer.
func (d *aggregateDef) sortOperator(parts []string) OID {
	b, t := d.b, d.f.ArgTypes[0]
	for _, o := range b.operators(parts, -1) {
		if o.Left == t && o.Right == t {
			return o.OID
		}
	}
	b.opNotFound(parts, t, t, true, -1)
	return 0
}

// lookup finds a function of the aggregate by its argument types, which may be polymorphic, and its
// result type. Arguments have to fit without conversion.
func (d *aggregateDef) lookup(option string, args []OID) (*functions.Func, OID) {
	b := d.b
	schema, name := b.splitName(d.names[option], -1)
	cands := b.functionsNamed(schema, name)
	sig := dotted(d.names[option]) + "("
	for i, t := range args {
		if i > 0 {
			sig += ", "
		}
		sig += b.typeName(t)
	}
	sig += ")"
	fn, ret := d.exact(cands, args)
	if fn == nil && !slices.ContainsFunc(args, functions.IsPolymorphic) {
		if res := functions.ResolveFunc(b.env.Types, nil, functions.Call{Cands: cands, ArgTypes: args}); res.Status == functions.Found && res.Err == nil {
			fn, ret = res.Func, res.Ret
		}
	}
	switch {
	case fn == nil:
		b.failf(-1, pgerr.UndefinedFunction, "function %s does not exist", sig)
	case fn.RetSet:
		b.failf(-1, pgerr.DatatypeMismatch, "function %s returns a set", sig)
	}
	for i, t := range args {
		if i < len(fn.Args) && !functions.BinaryCoercible(b.env.Types, t, fn.Args[i]) && !functions.IsPolymorphic(fn.Args[i]) {
			b.failf(-1, pgerr.DatatypeMismatch, "function %s requires run-time type coercion", sig)
		}
	}
	if b.env.Catalog.Function(fn.OID) != nil {
		d.f.Depends = append(d.f.Depends, catalog.Dependency{Class: catalog.ClassFunction, OID: fn.OID})
	}
	return fn, ret
}

// exact finds the candidate whose parameters are of exactly these types, or take them whatever they are.
func (d *aggregateDef) exact(cands []*functions.Func, args []OID) (*functions.Func, OID) {
	for _, c := range cands {
		if c.Kind == 'p' || len(c.Args) != len(args) && (c.Variadic == 0 || len(c.Args) > len(args)) {
			continue
		}
		ok := true
		for i, t := range args {
			k := min(i, len(c.Args)-1)
			ok = ok && (c.Args[k] == t || c.Args[k] == types.AnyOID)
		}
		if ok && len(c.Args) > 0 {
			return c, c.Ret
		}
	}
	return nil, 0
}
