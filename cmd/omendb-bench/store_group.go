//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Stores in a memory cgroup. Each is loaded by a process of its own without
// one; then the kernel is told to forget the files' pages, and another process
// opens the store inside a cgroup that may hold a share of the raw data: heap,
// cache and the kernel's pages of the files count. These processes all live at
// once, and take turns in interleaved rounds. What they read from the disk is
// what the kernel counts for them.

// groupCache is the part of the cgroup's memory that is each store's cache:
// the rest is for everything else, the kernel's pages too.
const groupCache = 0.5

// groupTurn is a request to a store's process, groupAnswer what it did.
type groupTurn struct {
	Work string
	Keys []uint64
}

type groupAnswer struct {
	Nanoseconds, Bytes int64
	Sum                uint64
	Error              string
}

// groupMember is a store's process.
type groupMember struct {
	name  string
	group string
	cmd   *exec.Cmd
	to    *json.Encoder
	from  *json.Decoder
	ended error // why it is no more
}

// storeGroups measures reads of all stores inside cgroups.
func storeGroups(o *storeOptions, r report) error {
	top, remove, err := o.workDir()
	if err != nil {
		return err
	}
	defer remove()
	limit := int64(float64(o.rows*rowBytes) * o.share)
	var members []*groupMember
	defer func() {
		for _, m := range members {
			m.end()
		}
	}()
	for _, m := range o.makers() {
		if m.open == nil {
			continue
		}
		progress("%s: loading %d rows", m.name, o.rows)
		dir := filepath.Join(top, m.name)
		load := o.child("load", m.name, dir)
		if out, err := load.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", m.name, err, out)
		}
		if err := forgetPages(dir); err != nil {
			return err
		}
		member, err := o.join(m.name, dir, limit)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		members = append(members, member)
	}
	rng := rand.New(rand.NewPCG(o.seed, 2))
	for _, work := range []string{"get", "get, zipf", "scan of 1000", mixedWork} {
		if err := o.groupWork(r, rng, members, work, limit); err != nil {
			return err
		}
	}
	return nil
}

func (o *storeOptions) groupWork(r report, rng *rand.Rand, members []*groupMember, work string, limit int64) error {
	count := o.probes
	if work == "scan of 1000" {
		count = max(o.probes/500, 1)
	}
	keys := make([][]uint64, o.rounds)
	for i := range keys {
		for _, at := range probes(rng, o.rows, count, work == "get, zipf") {
			keys[i] = append(keys[i], keyOf(at))
		}
	}
	times, bytes := make([][]float64, len(members)), make([]int64, len(members))
	for round := range o.rounds {
		want := uint64(0)
		for k := range members {
			i := k
			if round%2 == 1 {
				i = len(members) - 1 - k
			}
			progress("%s: round %d of %d, %s", work, round+1, o.rounds, members[i].name)
			if members[i].ended != nil {
				continue
			}
			a, err := members[i].turn(groupTurn{work, keys[round]})
			if err != nil {
				members[i].ended = err
				continue
			}
			if want == 0 {
				want = a.Sum
			}
			if a.Sum != want {
				return fmt.Errorf("%s returns the sum %d, others %d", members[i].name, a.Sum, want)
			}
			times[i] = append(times[i], float64(a.Nanoseconds)/float64(count))
			bytes[i] += a.Bytes
		}
	}
	progress("")
	list := make([]sample, len(members))
	for i, m := range members {
		if m.ended != nil {
			list[i] = sample{Work: work, Structure: m.name, Keys: o.rows, Note: m.ended.Error()}
			continue
		}
		slices.Sort(times[i])
		t := times[i]
		list[i] = sample{Data: fmt.Sprintf("rows of 100 bytes, each store in a cgroup of %d MB", limit>>20), Work: work, Structure: m.name, Keys: o.rows,
			Median: t[len(t)/2], Min: t[0], Max: t[len(t)-1], Note: fmt.Sprintf("%.0f bytes read per operation", float64(bytes[i])/float64(count*o.rounds))}
		list[i].Ratio = list[0].Median / list[i].Median
	}
	list[0].Data = fmt.Sprintf("rows of 100 bytes, each store in a cgroup of %d MB", limit>>20) // the heading, whether or not it has ended
	return r.add(list)
}

// child is this program with a part of the work.
func (o *storeOptions) child(part, store, dir string) *exec.Cmd {
	return exec.Command("/proc/self/exe", "store", "-part", part, "-stores", store, "-dir", dir, "-rows", strconv.Itoa(o.rows))
}

// join starts a store's process and puts it in a cgroup.
func (o *storeOptions) join(store, dir string, limit int64) (*groupMember, error) {
	m := &groupMember{name: store}
	var err error
	if m.group, err = newGroup(fmt.Sprintf("omendb-bench-%d-%s", os.Getpid(), store), limit); err != nil {
		return nil, err
	}
	m.cmd = o.child("read", store, dir)
	m.cmd.Args = append(m.cmd.Args, "-cache", strconv.FormatInt(max(int64(float64(limit)*groupCache)>>20, 1), 10), "-group", m.group)
	m.cmd.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", limit*3/4))
	m.cmd.Stderr = os.Stderr
	in, err := m.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	m.to, m.from = json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	_, err = m.turn(groupTurn{})
	if err != nil {
		m.end()
	}
	return m, err
}

func (m *groupMember) turn(t groupTurn) (a groupAnswer, err error) {
	if err := m.to.Encode(&t); err != nil {
		return a, err
	}
	if err := m.from.Decode(&a); err != nil {
		return a, fmt.Errorf("the store's process has ended, perhaps for lack of memory: %w", err)
	}
	if a.Error != "" {
		err = fmt.Errorf("%s", a.Error)
	}
	return a, err
}

func (m *groupMember) end() {
	_ = m.cmd.Process.Kill() // it has nothing to write
	_ = m.cmd.Wait()
	_ = os.Remove(m.group)
}

// newGroup makes a cgroup that may hold limit bytes, of either version.
func newGroup(name string, limit int64) (string, error) {
	dir, file := filepath.Join("/sys/fs/cgroup", name), "memory.max"
	if controllers, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err != nil || !strings.Contains(string(controllers), "memory") {
		dir, file = filepath.Join("/sys/fs/cgroup/memory", name), "memory.limit_in_bytes"
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, file), []byte(strconv.FormatInt(limit, 10)), 0o644)
}

// forgetPages has the kernel drop the pages of a directory's files, which were
// charged to nobody's limit.
func forgetPages(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Sync(); err != nil {
			return err
		}
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
}

// storePart is what a child does.
func storePart(o *storeOptions) error {
	m := o.makers()[0]
	if o.part == "load" {
		s, err := m.open(o.dir, 64<<20)
		if err != nil {
			return err
		}
		if err := s.load(o.rows); err != nil {
			return err
		}
		return s.close()
	}
	if err := os.WriteFile(filepath.Join(o.group, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return err
	}
	s, err := m.open(o.dir, o.cacheMB<<20)
	if err != nil {
		return err
	}
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	for {
		var t groupTurn
		if err := in.Decode(&t); err != nil {
			return nil // the parent has ended
		}
		var a groupAnswer
		start, before := wallTime(), bytesRead()
		switch t.Work {
		case "":
		case "scan of 1000":
			a.Sum, err = s.scan(t.Keys, 1000)
		case mixedWork:
			a.Sum, err = getsAndPuts(s, t.Keys, s.put)
		default:
			a.Sum, err = s.get(t.Keys)
		}
		a.Nanoseconds, a.Bytes = (wallTime() - start).Nanoseconds(), bytesRead()-before
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(&a); err != nil {
			return err
		}
	}
}

// bytesRead is what this process has had read from the disk, mapped pages and
// what the kernel read ahead for it included.
func bytesRead() int64 {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if name, value, _ := strings.Cut(line, ":"); name == "read_bytes" {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64) // a number, or the kernel is another
			return n
		}
	}
	return 0
}
