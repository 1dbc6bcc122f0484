package pages

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// Records passes every record to each that stands on any leaf page of a file,
// whatever its state: pages that no tree reaches any more count too, so that a
// record may come several times, in an old version and in no order. A page
// that makes no sense is left out, and counted in damaged. Key and value are
// valid during the call only.
//
// It is for a file whose trees are broken.
func Records(ctx context.Context, file io.ReaderAt, size int64, each func(key, value []byte) error) (damaged int, err error) {
	pageSize := int64(os.Getpagesize())
	if found := read(file, size); len(found) > 0 {
		pageSize = int64(found[0].PageSize)
	}
	var buffer []byte
	header := make([]byte, headerSize)
	order := binary.NativeEndian
	for at := int64(0); at+pageSize <= size; at += pageSize {
		if err := ctx.Err(); err != nil {
			return damaged, err
		}
		if _, err := file.ReadAt(header, at); err != nil {
			return damaged, fmt.Errorf("read the file at %d: %w", at, err)
		}
		length := (int64(order.Uint32(header[12:])) + 1) * pageSize
		switch {
		case order.Uint16(header[8:]) != flagLeaf:
			if !plain(header) {
				damaged++
			}
			continue
		case int64(order.Uint64(header)) != at/pageSize || length > size-at: //nolint:gosec // A wrong one differs.
			damaged++
			continue
		}
		if int64(cap(buffer)) < length {
			buffer = make([]byte, length)
		}
		if _, err := file.ReadAt(buffer[:length], at); err != nil {
			return damaged, fmt.Errorf("read the file at %d: %w", at, err)
		}
		if !whole(buffer[:length]) {
			damaged++
			continue
		}
		if err := leaf(buffer[:length], each); err != nil {
			return damaged, err
		}
	}
	return damaged, nil
}

// plain reports whether a page that is no leaf looks like another kind, or
// like one that was never used.
func plain(header []byte) bool {
	switch flags := binary.NativeEndian.Uint16(header[8:]); flags {
	case flagBranch, flagMeta, flagFreelist:
		return true
	case 0:
		return true // Also the inside of a record that is longer than a page.
	default:
		return false
	}
}

func whole(page []byte) bool {
	return headerSize+int(binary.NativeEndian.Uint16(page[10:]))*elementSize <= len(page)
}

// leaf passes the records of a leaf page, and those of small buckets, which
// stand as pages inside values.
func leaf(page []byte, each func(key, value []byte) error) error {
	order := binary.NativeEndian
	for i := range int(order.Uint16(page[10:])) {
		key, value, ok := element(page, i, flagLeaf)
		if !ok {
			continue
		}
		bucket := order.Uint32(page[headerSize+i*elementSize:])&1 != 0
		if !bucket {
			if err := each(key, value); err != nil {
				return err
			}
			continue
		}
		const bucketHeader = 16
		if len(value) < bucketHeader+headerSize || order.Uint64(value) != 0 {
			continue // Its records stand on pages of their own.
		}
		if inline := value[bucketHeader:]; order.Uint16(inline[8:]) == flagLeaf && whole(inline) {
			if err := leaf(inline, each); err != nil {
				return err
			}
		}
	}
	return nil
}
