package column

// unpackModes are the ways to unpack that the processor has; each makes
// unpack take it and returns what undoes that.
func unpackModes() map[string]func() (undo func()) {
	modes := map[string]func() func(){"scalar": func() func() { return switchVectors(false, false) }}
	if hasVectors {
		modes["vectors"] = func() func() { return switchVectors(true, false) }
	}
	if hasWide {
		modes["wide vectors"] = func() func() { return switchVectors(true, true) }
	}
	return modes
}

func switchVectors(vectors, wide bool) (undo func()) {
	v, w := hasVectors, hasWide
	hasVectors, hasWide = vectors, wide
	return func() { hasVectors, hasWide = v, w }
}
