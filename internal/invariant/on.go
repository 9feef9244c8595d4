//go:build invariants || race

package invariant

// Enabled says whether expensive invariants are checked in this build.
const Enabled = true
