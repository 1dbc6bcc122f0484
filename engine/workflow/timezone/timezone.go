// Package timezone finds time zones by their name, on a machine that has no
// zones of its own too.
//
// It carries the same data as the standard library's time/tzdata, compressed
// to a quarter, since a server that has the system's zones never reads it.
package timezone

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	_ "embed" // The zones.
	"errors"
	"fmt"
	"io"
	"time"
)

// zones is a tar file, compressed by gzip, with a file for each zone. "make
// generate" makes it anew from the zones of the Go release in use.
//
//go:embed zones.tar.gz
var zones []byte

// Load returns the zone of that name of the IANA database, such as
// "Europe/Berlin". The machine's own data come first: they may be newer.
func Load(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err == nil {
		return zone, nil
	}
	data, carried := carriedZone(name)
	if carried != nil {
		return nil, fmt.Errorf("%w; %w", err, carried)
	}
	if data == nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(name, data)
}

// carriedZone returns what the binary has of a zone, nil where it has none.
func carriedZone(name string) ([]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(zones))
	if err != nil {
		return nil, fmt.Errorf("read the zones of this binary: %w", err)
	}
	archive := tar.NewReader(unpacked)
	for {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("read the zones of this binary: %w", err)
		case header.Name == name:
			return io.ReadAll(archive)
		}
	}
}
