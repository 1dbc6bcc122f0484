package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
)

// sector is what a disk writes as a whole or not at all, in bytes.
const sector = 512

// image is a disk with a cache. What is written can be read at once, but is
// safe only once it is flushed: when the power is cut, any part of what was
// written since then may be gone.
type image struct {
	mu      sync.Mutex
	changed *sync.Cond
	power   power
	// now is what a reader sees, safe what survives.
	now, safe *os.File
	// cache are the writes since the last flush, in their order.
	cache []cached
}

type cached struct {
	offset int64
	data   []byte
}

type power string

const (
	// on: everything works.
	on power = "on"
	// cut: requests get no answer, so that nobody takes for safe what is not.
	cut power = "cut"
	// gone: requests fail, so that whoever waits for an answer can end.
	gone power = "gone"
)

func newImage(dir string, size int64) (*image, error) {
	d := &image{power: on}
	d.changed = sync.NewCond(&d.mu)
	for _, file := range []**os.File{&d.now, &d.safe} {
		f, err := os.CreateTemp(dir, "image-")
		if err != nil {
			return nil, fmt.Errorf("make the disk: %w", err)
		}
		if err := f.Truncate(size); err != nil {
			return nil, fmt.Errorf("make the disk: %w", err)
		}
		*file = f
	}
	return d, nil
}

// begin takes the lock once there is power, and fails where there is none.
func (d *image) begin() error {
	d.mu.Lock()
	for d.power == cut {
		d.changed.Wait()
	}
	if d.power == gone {
		d.mu.Unlock()
		return syscall.EIO
	}
	return nil
}

func (d *image) read(into []byte, offset int64) (int, error) {
	if err := d.begin(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	n, err := d.now.ReadAt(into, offset)
	if err == io.EOF { //nolint:errorlint // ReadAt returns it bare.
		err = nil
	}
	return n, err
}

func (d *image) write(data []byte, offset int64) error {
	if err := d.begin(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	d.cache = append(d.cache, cached{offset, append([]byte{}, data...)})
	_, err := d.now.WriteAt(data, offset)
	return err
}

// flush makes safe what was written.
func (d *image) flush() error {
	if err := d.begin(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	for _, w := range d.cache {
		if _, err := d.safe.WriteAt(w.data, w.offset); err != nil {
			return err
		}
	}
	d.cache = nil
	return nil
}

func (d *image) set(p power) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.power = p
	d.changed.Broadcast()
}

// restore puts the power on again. Of the writes that were not flushed there
// are none, the first ones, or any of their sectors.
func (d *image) restore(chance *rand.Rand) (survived, lost int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	survives := func(int) bool { return false }
	switch chance.IntN(3) {
	case 1:
		first := chance.IntN(len(d.cache) + 1)
		survives = func(write int) bool { return write < first }
	case 2:
		survives = func(int) bool { return chance.IntN(2) == 0 }
	}
	for n, w := range d.cache {
		for at := 0; at < len(w.data); at += sector {
			if !survives(n) {
				lost++
				continue
			}
			survived++
			if _, err := d.safe.WriteAt(w.data[at:min(at+sector, len(w.data))], w.offset+int64(at)); err != nil {
				return 0, 0, err
			}
		}
	}
	for _, w := range d.cache {
		if _, err := d.safe.ReadAt(w.data, w.offset); err != nil {
			return 0, 0, err
		}
		if _, err := d.now.WriteAt(w.data, w.offset); err != nil {
			return 0, 0, err
		}
	}
	d.cache, d.power = nil, on
	d.changed.Broadcast()
	return survived, lost, nil
}

func (d *image) close() {
	for _, file := range []*os.File{d.now, d.safe} {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
}
