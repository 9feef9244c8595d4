package plan

// Routine is the body of an SQL function, bound and planned for one combination of
// argument and result types.
type Routine struct {
	Steps []RoutineStep
	// Result tells that the last step's rows are the function's result.
	Result bool
	// Row tells that the result is a row made of all columns of the last step.
	Row bool
	// Whole tells that the last step yields one column that is the result's row already.
	Whole bool
	// Types are the types of the result's columns when Row.
	Types []Type
	// Fresh tells that every statement sees the changes of those before it (VOLATILE).
	Fresh bool
	// Objects are what the binding depends on.
	Objects []ObjectVersion
}

// RoutineStep is one statement of a body: exactly one of the two is set.
type RoutineStep struct {
	Query   *Statement
	Utility Utility
}
