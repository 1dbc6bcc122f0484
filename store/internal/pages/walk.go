package pages

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// maxDepth bounds the tree; a real one of 2^40 pages is far less deep.
const maxDepth = 64

// What a page is used for.
const (
	unseen byte = iota
	free
	used
)

// Walk visits every page that a snapshot reaches and passes what is wrong
// with them to report: pages that are not what they should be, keys out of
// order, pages used twice, or neither used nor free. It returns how many
// pages the snapshot has. Its error is that ctx ended.
//
// While bbolt writes to the file, a read transaction of the snapshot must be
// open.
func Walk(ctx context.Context, file io.ReaderAt, snapshot Snapshot, report func(problem string)) (int, error) {
	w := &walk{ctx: ctx, file: file, snapshot: snapshot, report: report, state: make([]byte, snapshot.Pages)}
	if snapshot.Pages < 4 {
		report(fmt.Sprintf("the file has %d pages, fewer than an empty one", snapshot.Pages))
		return 0, ctx.Err()
	}
	w.state[0], w.state[1] = used, used
	w.readFreelist()
	w.tree(snapshot.root, bounds{}, 0)
	for id, state := range w.state {
		if state == unseen && ctx.Err() == nil {
			w.problem(uint64(id), "is neither used nor free") //nolint:gosec // Never negative.
		}
	}
	return len(w.state), ctx.Err()
}

// Free is how many pages of a snapshot are free. It looks at their list only.
func Free(file io.ReaderAt, snapshot Snapshot) (uint64, error) {
	header := make([]byte, headerSize+8)
	if _, err := file.ReadAt(header, int64(snapshot.freelist)*int64(snapshot.PageSize)); err != nil { //nolint:gosec // Checked by its use.
		return 0, fmt.Errorf("read the list of free pages: %w", err)
	}
	order := binary.NativeEndian
	if order.Uint16(header[8:]) != flagFreelist {
		return 0, fmt.Errorf("%w: its list of free pages is none", ErrDamaged)
	}
	count := uint64(order.Uint16(header[10:]))
	if count == 0xFFFF {
		count = order.Uint64(header[headerSize:])
	}
	if count > snapshot.Pages {
		return 0, fmt.Errorf("%w: its list of free pages is too long", ErrDamaged)
	}
	return count, nil
}

type walk struct {
	ctx      context.Context //nolint:containedctx // It lives for one call.
	file     io.ReaderAt
	snapshot Snapshot
	report   func(string)
	state    []byte
	buffers  [maxDepth + 1][]byte
}

// bounds are the keys between which a subtree's keys lie: least included,
// most not; nil is open.
type bounds struct{ least, most []byte }

func (w *walk) problem(id uint64, format string, values ...any) {
	w.report(fmt.Sprintf("page %d ", id) + fmt.Sprintf(format, values...))
}

// page reads a page with those that it flows over into, and marks them used.
func (w *walk) page(id uint64, depth int) ([]byte, bool) {
	if id < 2 || id >= w.snapshot.Pages {
		w.problem(id, "is referred to and outside the file")
		return nil, false
	}
	size := int64(w.snapshot.PageSize)
	header := make([]byte, headerSize)
	if _, err := w.file.ReadAt(header, int64(id)*size); err != nil { //nolint:gosec // Within the file.
		w.problem(id, "can't be read: %v", err)
		return nil, false
	}
	order := binary.NativeEndian
	overflow := uint64(order.Uint32(header[12:]))
	if order.Uint64(header) != id || overflow >= w.snapshot.Pages-id {
		w.problem(id, "is not what it should be")
		return nil, false
	}
	for i := id; i <= id+overflow; i++ {
		if w.state[i] != unseen {
			w.problem(i, "is used twice, or used and free")
			return nil, false
		}
		w.state[i] = used
	}
	need := int(overflow+1) * int(size) //nolint:gosec // Bounded by the file.
	if cap(w.buffers[depth]) < need {
		w.buffers[depth] = make([]byte, need)
	}
	buffer := w.buffers[depth][:need]
	if _, err := w.file.ReadAt(buffer, int64(id)*size); err != nil { //nolint:gosec // Within the file.
		w.problem(id, "can't be read: %v", err)
		return nil, false
	}
	return buffer, true
}

func (w *walk) readFreelist() {
	id := w.snapshot.freelist
	buffer, ok := w.page(id, 0)
	if !ok {
		return
	}
	order := binary.NativeEndian
	if order.Uint16(buffer[8:]) != flagFreelist {
		w.problem(id, "should be the list of free pages")
		return
	}
	count, list := uint64(order.Uint16(buffer[10:])), buffer[headerSize:]
	if count == 0xFFFF {
		count, list = order.Uint64(list), list[8:]
	}
	if count > uint64(len(list)/8) {
		w.problem(id, "lists %d free pages, more than it can hold", count)
		return
	}
	for i := range count {
		switch freed := order.Uint64(list[8*i:]); {
		case freed < 2 || freed >= w.snapshot.Pages:
			w.problem(freed, "is listed as free and outside the file")
		case w.state[freed] != unseen:
			w.problem(freed, "is listed as free twice, or free and used")
		default:
			w.state[freed] = free
		}
	}
}

// tree visits a subtree.
func (w *walk) tree(id uint64, within bounds, depth int) {
	if w.ctx.Err() != nil {
		return
	}
	if depth >= maxDepth {
		w.problem(id, "is too deep in its tree")
		return
	}
	buffer, ok := w.page(id, depth)
	if !ok {
		return
	}
	w.elements(id, buffer, within, depth, false)
}

// elements visits what is on a branch or leaf page. An inline page is a leaf
// inside a value, on which there are no further buckets.
func (w *walk) elements(id uint64, buffer []byte, within bounds, depth int, inline bool) {
	order := binary.NativeEndian
	flags, count := order.Uint16(buffer[8:]), int(order.Uint16(buffer[10:]))
	if flags != flagBranch && flags != flagLeaf || headerSize+count*elementSize > len(buffer) {
		w.problem(id, "is neither branch nor leaf")
		return
	}
	// Keys are checked before any child is read.
	keys := make([][]byte, count)
	for i := range keys {
		key, _, ok := element(buffer, i, flags)
		if !ok || !inOrder(keys, i, key, within) {
			w.problem(id, "has a key that is outside it or out of order")
			return
		}
		keys[i] = key
	}
	for i := range keys {
		if flags == flagBranch {
			child := bounds{least: keys[i], most: within.most}
			if i+1 < count {
				child.most = keys[i+1]
			}
			w.tree(order.Uint64(buffer[headerSize+i*elementSize+8:]), child, depth+1)
			continue
		}
		if order.Uint32(buffer[headerSize+i*elementSize:])&1 != 0 {
			if inline {
				w.problem(id, "has a bucket inside an inline one")
				return
			}
			_, value, _ := element(buffer, i, flags)
			w.bucket(id, value, depth)
		}
	}
}

// bucket visits a bucket that is kept as a value: a root's page, or 0 and the
// page itself.
func (w *walk) bucket(id uint64, value []byte, depth int) {
	if len(value) < 16 {
		w.problem(id, "has a bucket of %d bytes", len(value))
		return
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		w.tree(root, bounds{}, depth+1)
		return
	}
	inline := value[16:]
	if len(inline) < headerSize || binary.NativeEndian.Uint16(inline[8:]) != flagLeaf {
		w.problem(id, "has a bucket that is no page")
		return
	}
	w.elements(id, inline, bounds{}, depth, true)
}

// element returns the key, and on a leaf the value, of an element.
func element(buffer []byte, i int, flags uint16) (key, value []byte, ok bool) {
	order := binary.NativeEndian
	at := headerSize + i*elementSize
	head := buffer[at:]
	var pos, keySize, valueSize uint64
	if flags == flagBranch {
		pos, keySize = uint64(order.Uint32(head)), uint64(order.Uint32(head[4:]))
	} else {
		pos, keySize, valueSize = uint64(order.Uint32(head[4:])), uint64(order.Uint32(head[8:])), uint64(order.Uint32(head[12:]))
	}
	start := uint64(at) + pos //nolint:gosec // Never negative.
	if pos < elementSize || start+keySize+valueSize > uint64(len(buffer)) {
		return nil, nil, false
	}
	return buffer[start : start+keySize], buffer[start+keySize : start+keySize+valueSize], true
}

// inOrder reports whether a key follows the one before it and lies within the
// bounds.
func inOrder(keys [][]byte, i int, key []byte, within bounds) bool {
	if within.most != nil && bytes.Compare(key, within.most) >= 0 {
		return false
	}
	if i > 0 {
		return bytes.Compare(keys[i-1], key) < 0
	}
	return within.least == nil || bytes.Compare(key, within.least) >= 0
}
