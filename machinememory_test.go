package omendb

import (
	"os"
	"testing"
)

// TestMachineMemory: the smallest of what machine and control groups of either version tell counts.
func TestMachineMemory(t *testing.T) {
	const meminfo = "MemTotal:       16000000 kB\nMemFree:         1 kB\n"
	for _, c := range []struct {
		files map[string]string
		want  int64
	}{
		{map[string]string{}, unknownMemory},
		{map[string]string{"/proc/meminfo": meminfo}, 16000000 << 10},
		{map[string]string{"/proc/meminfo": meminfo, "/sys/fs/cgroup/memory.max": "max\n"}, 16000000 << 10},
		{map[string]string{"/proc/meminfo": meminfo, "/sys/fs/cgroup/memory.max": "536870912\n"}, 536870912},
		{map[string]string{"/proc/meminfo": meminfo, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n"}, 268435456},
		{map[string]string{"/proc/meminfo": meminfo, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 16000000 << 10},
	} {
		got := machineMemory(func(name string) ([]byte, error) {
			if text, ok := c.files[name]; ok {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		})
		if got != c.want {
			t.Errorf("%v: %d, want %d", c.files, got, c.want)
		}
	}
}
