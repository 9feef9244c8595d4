package exec

import "slices"

// stopSort is the panic that ends a sort of a cancelled statement.
type stopSort struct{ err error }

// comparisonsBetweenLooks is how many comparisons a sort makes between two looks at whether the statement was cancelled.
const comparisonsBetweenLooks = 1 << 16

// sortUntil sorts a list, stable or not, unless the statement is cancelled meanwhile.
func sortUntil[T any](rt *Runtime, list []T, stable bool, compare func(a, b T) int) (err error) {
	sort := slices.SortFunc[[]T]
	if stable {
		sort = slices.SortStableFunc[[]T]
	}
	if len(list) < comparisonsBetweenLooks/16 {
		sort(list, compare)
		return nil
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stopSort:
			err = r.err
		default:
			panic(r)
		}
	}()
	n := 0
	sort(list, func(a, b T) int {
		if n++; n == comparisonsBetweenLooks {
			n = 0
			if err := rt.canceled(); err != nil {
				panic(stopSort{err})
			}
		}
		return compare(a, b)
	})
	return nil
}
