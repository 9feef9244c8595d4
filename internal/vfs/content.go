package vfs

// pageBytes is the unit of sharing between copies of a memory file.
const pageBytes = 4096

// owner marks the pages that one content may change in place.
type owner struct{ _ byte }

type page struct {
	by   *owner
	data [pageBytes]byte
}

// content is the bytes of a memory file: pages shared copy-on-write between
// clones, so that remembering what was synced costs a slice of pointers. A nil
// page reads as zeros.
type content struct {
	pages []*page
	size  int64
	by    *owner
}

// clone returns an independent copy. Neither side owns the shared pages
// afterwards, so that both copy them before the next change.
func (c *content) clone() *content {
	c.by = new(owner)
	return &content{pages: append([]*page(nil), c.pages...), size: c.size, by: new(owner)}
}

func (c *content) readAt(p []byte, off int64) int {
	if off >= c.size {
		return 0
	}
	p = p[:min(int64(len(p)), c.size-off)]
	for done := 0; done < len(p); {
		i, at := (off+int64(done))/pageBytes, (off+int64(done))%pageBytes
		n := min(len(p)-done, int(pageBytes-at))
		if pg := c.pages[i]; pg != nil {
			copy(p[done:done+n], pg.data[at:])
		} else {
			clear(p[done : done+n])
		}
		done += n
	}
	return len(p)
}

func (c *content) writeAt(p []byte, off int64) {
	if end := off + int64(len(p)); end > c.size {
		c.resize(end)
	}
	for len(p) > 0 {
		i, at := off/pageBytes, off%pageBytes
		n := copy(c.own(i).data[at:], p)
		p, off = p[n:], off+int64(n)
	}
}

func (c *content) own(i int64) *page {
	pg := c.pages[i]
	if pg == nil {
		pg = &page{by: c.by}
		c.pages[i] = pg
	} else if pg.by != c.by {
		pg = &page{by: c.by, data: pg.data}
		c.pages[i] = pg
	}
	return pg
}

func (c *content) resize(size int64) {
	need := int((size + pageBytes - 1) / pageBytes)
	if need <= len(c.pages) {
		clear(c.pages[need:])
		c.pages = c.pages[:need]
		// What is cut off must read as zeros when the file grows again.
		if at := size % pageBytes; at != 0 && size < c.size && c.pages[need-1] != nil {
			clear(c.own(int64(need - 1)).data[at:])
		}
	} else {
		c.pages = append(c.pages, make([]*page, need-len(c.pages))...)
	}
	c.size = size
}
