// Package libm computes elementary functions the way PostgreSQL's users see them: to the last digit that is printed.
//
// PostgreSQL calls the C library, whose sine, exponential and their kin are wrong by little more than half a unit in the last place.
// Go's are wrong by up to one, which the shortest exact output of a float8 shows. Here they are computed as sums of two floats
// (about 100 bits) and rounded once; the hyperbolic functions, the cube root and log10, which the GNU C library computes in plain
// floats, follow its formulas.
package libm
