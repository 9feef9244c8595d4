package omendb

import (
	"bytes"
	"os"
	"strconv"
)

// unknownMemory is assumed where the system does not tell how much memory there is.
const unknownMemory = 2 << 30

// statementShare is the part of the machine's memory that statements may hold together unless omen.server_memory says
// otherwise: the cache of blocks, memtables, garbage and other processes need the rest.
const statementShare = 2

// statementMemory is the default of omen.server_memory, in bytes.
func statementMemory() int64 { return machineMemory(os.ReadFile) / statementShare }

// machineMemory returns the memory of the machine, or of the control group that the process is in if that has less.
func machineMemory(read func(name string) ([]byte, error)) int64 {
	least := int64(unknownMemory)
	if text, err := read("/proc/meminfo"); err == nil {
		for line := range bytes.Lines(text) {
			if f := bytes.Fields(line); len(f) >= 2 && string(f[0]) == "MemTotal:" {
				if kb, err := strconv.ParseInt(string(f[1]), 10, 64); err == nil {
					least = kb << 10
				}
			}
		}
	}
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := read(name)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && n > 0 { // "max" is no number
			least = min(least, n)
		}
	}
	return least
}
