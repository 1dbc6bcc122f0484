package pages_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/internal/pages"
)

// database makes a closed bbolt file with several levels, long values, an
// inline bucket and free pages.
func database(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 8 {
		err := db.Update(func(tx *bolt.Tx) error {
			for _, name := range []string{"a", "b", "inline"} {
				bucket, err := tx.CreateBucketIfNotExists([]byte(name))
				if err != nil {
					return err
				}
				for range 800 {
					key := fmt.Appendf(nil, "key-%d", random.IntN(3000))
					if name == "inline" {
						key = []byte("key")
					}
					if err := bucket.Put(key, bytes.Repeat([]byte("v"), random.IntN(60))); err != nil {
						return err
					}
					if err := bucket.Delete(fmt.Appendf(nil, "key-%d", random.IntN(3000))); err != nil {
						return err
					}
				}
				if name == "b" {
					if err := bucket.Put([]byte("long"), make([]byte, 100_000)); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = db.View(func(tx *bolt.Tx) error {
		for problem := range tx.Check() {
			t.Errorf("bbolt finds %v", problem)
		}
		return nil
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func walk(t testing.TB, content []byte) []string {
	t.Helper()
	snapshot, _, err := pages.Metas(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	if _, err := pages.Walk(context.Background(), bytes.NewReader(content), snapshot, func(p string) { problems = append(problems, p) }); err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestWholeFileHasNoProblems(t *testing.T) {
	content := database(t)
	snapshot, good, err := pages.Metas(bytes.NewReader(content), int64(len(content)))
	if err != nil || good != 2 || snapshot.PageSize != os.Getpagesize() || snapshot.Pages < 100 {
		t.Errorf("snapshot is %+v, %d good, %v", snapshot, good, err)
	}
	if problems := walk(t, content); len(problems) > 0 {
		t.Errorf("problems are %q", problems)
	}
	if _, found := pages.At(bytes.NewReader(content), int64(len(content)), snapshot.TxID); !found {
		t.Error("the snapshot's transaction is not found")
	}
	if _, found := pages.At(bytes.NewReader(content), int64(len(content)), snapshot.TxID+1); found {
		t.Error("a transaction that never was is found")
	}
}

func TestEachDamagedPageIsSeen(t *testing.T) {
	content := database(t)
	size := os.Getpagesize()
	seen := 0
	snapshot, _, err := pages.Metas(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for page := 2; page < int(snapshot.Pages); page++ {
		damaged := bytes.Clone(content)
		clear(damaged[page*size : (page+1)*size])
		if len(walk(t, damaged)) > 0 {
			seen++
		}
	}
	// The rest are free pages and the inside of long values.
	if seen < 40 {
		t.Errorf("%d of %d damaged pages are seen", seen, snapshot.Pages)
	}
}

func TestMetaPages(t *testing.T) {
	content := database(t)
	size := os.Getpagesize()
	whole, _, err := pages.Metas(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for meta := range 2 {
		damaged := bytes.Clone(content)
		damaged[meta*size+40] ^= 1
		snapshot, good, err := pages.Metas(bytes.NewReader(damaged), int64(len(damaged)))
		if err != nil || good != 1 || snapshot.TxID != whole.TxID && snapshot.TxID != whole.TxID-1 {
			t.Errorf("meta %d: %+v, %d good, %v", meta, snapshot, good, err)
		}
	}
	for name, damaged := range map[string][]byte{
		"both zero": append(make([]byte, 2*size), content[2*size:]...),
		"too short": content[:size*int(whole.Pages-1)],
		"text":      []byte(strings.Repeat("text ", 10_000)),
		"nothing":   nil,
	} {
		if _, _, err := pages.Metas(bytes.NewReader(damaged), int64(len(damaged))); !errors.Is(err, pages.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWalkEndsWithItsContext(t *testing.T) {
	content := database(t)
	snapshot, _, err := pages.Metas(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := pages.Walk(ctx, bytes.NewReader(content), snapshot, func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// FuzzWalk damages a file anywhere: nothing may panic or hang.
func FuzzWalk(f *testing.F) {
	content := database(f)
	f.Add(uint32(5), []byte{0xFF, 0xFF, 0xFF, 0xFF})
	f.Add(uint32(2*4096), []byte{3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xFF, 0xFF})
	f.Add(uint32(10*4096+8), []byte{2, 0, 1, 0})
	f.Fuzz(func(t *testing.T, at uint32, noise []byte) {
		damaged := bytes.Clone(content)
		copy(damaged[int(at)%len(damaged):], noise)
		walk(t, damaged)
	})
}
