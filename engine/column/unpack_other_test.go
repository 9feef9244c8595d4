//go:build !amd64

package column

// unpackModes are the ways to unpack: one here.
func unpackModes() map[string]func() (undo func()) {
	return map[string]func() func(){"scalar": func() func() { return func() {} }}
}
