package main

import (
	"encoding/binary"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// disk is a bbolt file beside the server's data: what a durable commit costs
// here, whoever makes it.
type disk struct {
	*bolt.DB
	commit uint64
}

var bareBucket = []byte("bare")

func openDisk(dir string) (*disk, error) {
	db, err := bolt.Open(filepath.Join(dir, "bare.db"), 0o600, &bolt.Options{Timeout: time.Second, InitialMmapSize: 1 << 30})
	if err != nil {
		return nil, err
	}
	return &disk{DB: db}, db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bareBucket)
		return err
	})
}

// looks is how often the disk is measured before a figure, and after it.
const looks = 20

// commits makes n commits of one record of a kibibyte, one after the other,
// many times, and adds what each time took.
func (d *disk) commits(n int, times []time.Duration) ([]time.Duration, error) {
	record := make([]byte, 1<<10)
	for range looks {
		begin := time.Now()
		for range n {
			d.commit++
			if err := d.Update(func(tx *bolt.Tx) error {
				return tx.Bucket(bareBucket).Put(binary.BigEndian.AppendUint64(nil, d.commit), record)
			}); err != nil {
				return nil, err
			}
		}
		times = append(times, time.Since(begin))
	}
	return times, nil
}
