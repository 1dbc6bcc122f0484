// Package pages reads the page structure of a bbolt file by plain file reads.
//
// bbolt maps its file and trusts it: damage shows as a panic or as a memory
// fault, in whatever goroutine meets it. A walk by this package meets the same
// damage as an error, so that a file can be judged before bbolt sees it. It
// never writes.
package pages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// ErrDamaged: the file is not a whole bbolt file.
var ErrDamaged = errors.New("the database file is damaged")

const (
	magic       = 0xED0CDAED
	version     = 2
	headerSize  = 16
	metaSize    = 64
	elementSize = 16

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10

	minPageSize = 1 << 10
	maxPageSize = 16 << 20
)

// Snapshot is what one meta page says of the file.
type Snapshot struct {
	PageSize int
	TxID     uint64
	// Pages is how many pages the file must at least have.
	Pages uint64

	root, freelist uint64
}

// Size is the least size of the file in bytes.
func (s Snapshot) Size() int64 { return int64(s.Pages) * int64(s.PageSize) } //nolint:gosec // Checked when it was read.

// Metas reads both meta pages of a file of that size and returns the newer
// good one, and how many of them are good. It is ErrDamaged where none is,
// or where the file is shorter than the pages that it must have.
func Metas(file io.ReaderAt, size int64) (newest Snapshot, good int, err error) {
	for _, snapshot := range read(file, size) {
		good++
		if good == 1 || snapshot.TxID > newest.TxID {
			newest = snapshot
		}
	}
	switch {
	case good == 0:
		return Snapshot{}, 0, fmt.Errorf("%w: it has no good meta page", ErrDamaged)
	case newest.Size() > size:
		return Snapshot{}, good, fmt.Errorf("%w: it has %d bytes and should have %d", ErrDamaged, size, newest.Size())
	}
	return newest, good, nil
}

// At returns the snapshot of one transaction, if a meta page still has it.
func At(file io.ReaderAt, size int64, txID uint64) (Snapshot, bool) {
	for _, snapshot := range read(file, size) {
		if snapshot.TxID == txID && snapshot.Size() <= size {
			return snapshot, true
		}
	}
	return Snapshot{}, false
}

// read returns the good meta pages. The second stands behind the first, whose
// size is known for sure only from a good one.
func read(file io.ReaderAt, size int64) []Snapshot {
	var found []Snapshot
	if first, ok := meta(file, 0); ok {
		found = append(found, first)
		if second, ok := meta(file, int64(first.PageSize)); ok {
			found = append(found, second)
		}
		return found
	}
	for at := int64(minPageSize); at <= maxPageSize && at < size; at *= 2 {
		if second, ok := meta(file, at); ok && int64(second.PageSize) == at {
			return append(found, second)
		}
	}
	return nil
}

func meta(file io.ReaderAt, at int64) (Snapshot, bool) {
	buffer := make([]byte, headerSize+metaSize)
	if _, err := file.ReadAt(buffer, at); err != nil {
		return Snapshot{}, false
	}
	body, order := buffer[headerSize:], binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(body[:metaSize-8]) //nolint:errcheck // A hash never fails.
	s := Snapshot{
		PageSize: int(order.Uint32(body[8:])), root: order.Uint64(body[16:]), freelist: order.Uint64(body[32:]),
		Pages: order.Uint64(body[40:]), TxID: order.Uint64(body[48:]),
	}
	ok := order.Uint16(buffer[8:])&flagMeta != 0 && order.Uint32(body) == magic && order.Uint32(body[4:]) == version &&
		order.Uint64(body[56:]) == sum.Sum64() &&
		s.PageSize >= minPageSize && s.PageSize <= maxPageSize && s.PageSize&(s.PageSize-1) == 0 && s.Pages < 1<<40
	return s, ok
}
