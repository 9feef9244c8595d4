package segment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Scrub reads a whole file past the cache, a part at a time, and compares its
// content with its name: no byte is left out.
type Scrub struct {
	r    *Reader
	hash hash.Hash
	at   int64
	buf  []byte
}

// Scrub starts to read the file.
func (r *Reader) Scrub() *Scrub { return &Scrub{r: r, hash: sha256.New()} }

// Step reads up to n bytes and returns how many it has read. At the end of the
// file done is set and err says whether the content is what was written.
func (s *Scrub) Step(n int64) (read int64, done bool, err error) {
	n = min(n, s.r.info.Size-s.at)
	if int64(cap(s.buf)) < n {
		s.buf = make([]byte, n)
	}
	b := s.buf[:n]
	if err := s.r.readAt(b, s.at); err != nil {
		return 0, true, err
	}
	s.hash.Write(b)
	if s.at += n; s.at < s.r.info.Size {
		return n, false, nil
	}
	if hex.EncodeToString(s.hash.Sum(nil)[:nameBytes])+Suffix != s.r.info.Name {
		err = s.r.corrupt(0, "the content is not that of the file's name")
	}
	return n, true, err
}

// Damaged is a stretch of a file that cannot be read. The rows in it have keys
// from Lower to Upper, both possibly not among them; without rows, as in the
// footer, both are those of the whole segment.
type Damaged struct {
	Offset       int64
	Lower, Upper []byte
	Err          error
}

// Damage reads block by block past the cache and returns what is damaged.
// Damage to bytes that nothing ever reads it does not see; Scrub does.
func (r *Reader) Damage(ctx context.Context) ([]Damaged, error) {
	var found []Damaged
	if r.damage != nil {
		return append(found, Damaged{Offset: r.damage.Offset, Lower: r.info.MinKey, Upper: r.info.MaxKey, Err: r.damage}), nil
	}
	last := r.info.MinKey // of the last good block
	open := false         // the last of found waits for its upper key
	it := r.Versions(nil, nil)
	bad := func(i int, err error) {
		if !open {
			found = append(found, Damaged{Offset: r.fences.offset(i), Lower: bytes.Clone(last), Upper: r.info.MaxKey, Err: err})
		}
		open = true
	}
	for i := range r.fences.count() {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		it.buf = make([]byte, r.fences.lengths[i])
		it.at, it.next = uint64(r.fences.offset(i)), i
		err := r.readAt(it.buf, r.fences.offset(i))
		if err == nil {
			err = it.load()
		}
		if err != nil {
			bad(i, err)
			continue
		}
		if open {
			found[len(found)-1].Upper, open = it.block.appendKey(nil, 0), false
		}
		for it.row = range it.block.rows {
			if _, err := it.Row(); err != nil {
				key := it.block.appendKey(nil, it.row)
				found = append(found, Damaged{Offset: r.fences.offset(i), Lower: key, Upper: key, Err: err})
			}
		}
		last = it.block.appendKey(nil, it.block.rows-1)
	}
	for _, err := range r.damagedFrame() {
		found = append(found, Damaged{Offset: int64(r.end), Lower: r.info.MinKey, Upper: r.info.MaxKey, Err: err})
	}
	return found, nil
}

// damagedFrame reads what is no row: index blocks, header, footer.
func (r *Reader) damagedFrame() (errs []error) {
	for _, h := range r.index {
		p := make([]byte, h.length)
		err := r.readAt(p, int64(h.offset))
		if err == nil {
			err = r.checkSum(p, int64(h.offset), nil, nil)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	again := &Reader{file: r.file, path: r.path}
	if err := again.readFooter(r.info.Name); err != nil {
		errs = append(errs, err)
	}
	return errs
}
