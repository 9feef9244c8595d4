package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// anonymousMemory returns RssAnon and RssShmem of a process in bytes: what it
// holds besides the pages of files, which the kernel may take back.
func anonymousMemory(pid int) (n int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		if name == "RssAnon" || name == "RssShmem" {
			kb, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64) // a number, or the kernel is another
			n += kb << 10
		}
	}
	return n
}

// watchMemory samples the memory of a process until stop is called, which
// returns the greatest sample.
func watchMemory(pid int) (stop func() int64) {
	var peak atomic.Int64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			peak.Store(max(peak.Load(), anonymousMemory(pid)))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(done)
		<-ended
		return peak.Load()
	}
}

// markTime returns the processor time that the collector takes to mark what
// the process holds: the median of nine cycles.
func markTime() time.Duration {
	const name = "/cpu/classes/gc/mark/assist:cpu-seconds"
	read := func() float64 {
		s := []metrics.Sample{{Name: name}, {Name: strings.Replace(name, "assist", "dedicated", 1)}}
		metrics.Read(s)
		return s[0].Value.Float64() + s[1].Value.Float64()
	}
	var times []float64
	for range 9 {
		runtime.GC() // whose sweep is not part of the next
		before := read()
		runtime.GC()
		times = append(times, read()-before)
	}
	slices.Sort(times)
	return time.Duration(times[len(times)/2] * float64(time.Second))
}
