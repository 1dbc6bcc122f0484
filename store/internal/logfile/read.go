package logfile

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// headSize is enough of a line to read its Seq from.
const headSize = 64

// chunkSize is how much is read at once when looking for the end of a line.
const chunkSize = 4 << 10

// Line is one line as it stands in a file.
type Line struct {
	Seq uint64
	// IsLog tells a log line from one of progress.
	IsLog bool
	// Raw is the JSON without the newline.
	Raw []byte
}

// inspect reads the ends of a file, and cuts off a last line that is not
// whole.
func (l *Logs) inspect(f *file) error {
	handle, err := l.root.OpenFile(f.path(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer handle.Close() //nolint:errcheck // Nothing of it is written, or Truncate has said so.
	info, err := handle.Stat()
	if err != nil {
		return err
	}
	end, err := lastNewline(handle, info.Size())
	if err != nil {
		return err
	}
	if f.size = end; end < info.Size() {
		if err := handle.Truncate(end); err != nil {
			return err
		}
		f.run.dirty[f] = struct{}{}
	}
	f.first, _, err = seqAt(handle, 0, end)
	for err == nil && f.last == 0 && end > 0 {
		// The last line, or before marks the last that has a number.
		var start int64
		if start, err = lastNewline(handle, end-1); err == nil {
			err = f.inspectLine(handle, start, end)
			end = start
		}
	}
	return err
}

func (f *file) inspectLine(handle io.ReaderAt, start, end int64) error {
	seq, ok, err := seqAt(handle, start, end)
	if err != nil || ok {
		f.last = seq
		return err
	}
	raw := make([]byte, end-start)
	if _, err := handle.ReadAt(raw, start); err != nil {
		return err
	}
	if mark, ok := record.DecodeMark(raw); ok {
		f.capped, f.dropped = true, max(f.dropped, mark.Dropped)
		f.marked = f.dropped
	}
	return nil
}

// lastNewline returns where the last line below end begins: behind the last
// newline there, or 0.
func lastNewline(file io.ReaderAt, end int64) (int64, error) {
	buffer := make([]byte, chunkSize)
	for end > 0 {
		start := max(0, end-chunkSize)
		chunk := buffer[:end-start]
		if _, err := file.ReadAt(chunk, start); err != nil {
			return 0, err
		}
		if at := bytes.LastIndexByte(chunk, '\n'); at >= 0 {
			return start + int64(at) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// nextLine returns where the first line at or behind at begins, or size.
func nextLine(file io.ReaderAt, at, size int64) (int64, error) {
	if at == 0 {
		return 0, nil
	}
	buffer := make([]byte, chunkSize)
	for from := at - 1; from < size; from += chunkSize {
		chunk := buffer[:min(chunkSize, size-from)]
		if _, err := file.ReadAt(chunk, from); err != nil {
			return 0, err
		}
		if i := bytes.IndexByte(chunk, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
	}
	return size, nil
}

// seqAt reads the Seq of the line that begins at start; ok is false for a
// mark.
func seqAt(file io.ReaderAt, start, size int64) (seq uint64, ok bool, err error) {
	head := make([]byte, min(headSize, max(0, size-start)))
	if len(head) == 0 {
		return 0, false, nil
	}
	if _, err := file.ReadAt(head, start); err != nil {
		return 0, false, err
	}
	seq, _, ok = record.LineSeq(head)
	return seq, ok, nil
}

// search returns where the first line of a Seq above after begins. It halves
// the file by offsets, so that a long log costs some twenty reads.
func search(file io.ReaderAt, size int64, after uint64) (int64, error) {
	low, high := int64(0), size
	for low < high {
		middle := low + (high-low)/2
		start, err := nextLine(file, middle, size)
		if err != nil {
			return 0, err
		}
		if start >= high {
			high = middle
			continue
		}
		seq, ok, err := seqAt(file, start, size)
		if err != nil {
			return 0, err
		}
		if ok && seq <= after {
			low = start + 1
		} else {
			high = middle
		}
	}
	return nextLine(file, low, size)
}

// extent is what a reader needs to know of a file; a copy, so that readers
// hold no lock while they read.
type extent struct {
	path, step  string
	attempt     int
	first, last uint64
	size        int64
	logs        int
}

// extents lists the files of an execution, of one step if named, that hold
// lines.
func (l *Logs) extents(executionID, step string) ([]extent, error) {
	r, err := l.acquire(executionID)
	if err != nil {
		return nil, err
	}
	defer l.release(r)
	list := make([]extent, 0, len(r.files))
	for _, f := range r.files {
		if f.last > 0 && (step == "" || step == f.step) {
			list = append(list, extent{f.path(), f.step, f.attempt, f.first, f.last, f.size, f.logs})
		}
	}
	return list, nil
}

// Window lists the lines of a Seq above after and up to upTo in their order,
// of all steps, or of one if named. No file has a Seq above after and below
// next; next is 0 where none has one above after.
func (l *Logs) Window(executionID, step string, after, upTo uint64) (lines []Line, next uint64, err error) {
	files, err := l.extents(executionID, step)
	if err != nil {
		return nil, 0, err
	}
	next = math.MaxUint64
	for _, f := range files {
		if f.last > after {
			next = min(next, max(f.first, after+1))
		}
		if f.last <= after || f.first > upTo {
			continue
		}
		if lines, err = l.read(f, after, upTo, lines); err != nil {
			return nil, 0, err
		}
	}
	if next == math.MaxUint64 {
		next = 0
	}
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.Seq, b.Seq) })
	return lines, next, nil
}

// read adds a file's lines. A file that is gone has none: what is left of an
// execution stays readable.
func (l *Logs) read(f extent, after, upTo uint64, lines []Line) ([]Line, error) {
	file, err := l.root.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return lines, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open a log: %w", err)
	}
	defer file.Close() //nolint:errcheck // It was only read.
	start, err := search(file, f.size, after)
	if err != nil {
		return nil, fmt.Errorf("search the log %s: %w", f.path, err)
	}
	err = scan(io.NewSectionReader(file, start, f.size-start), func(raw []byte) bool {
		seq, isLog, ok := record.LineSeq(raw)
		if ok && seq <= upTo && seq > after {
			lines = append(lines, Line{seq, isLog, bytes.Clone(raw)})
		}
		return ok && seq < upTo
	})
	if err != nil {
		return nil, fmt.Errorf("read the log %s: %w", f.path, err)
	}
	return lines, nil
}

// scan passes each line without its newline to each until that says no. What
// it passes is gone with the next line.
func scan(from io.Reader, each func(raw []byte) bool) error {
	reader := bufio.NewReaderSize(from, chunkSize)
	var long []byte
	for {
		part, err := reader.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
			continue
		case errors.Is(err, io.EOF):
			return nil // A line without its end is not one yet.
		case err != nil:
			return err
		}
		if len(long) > 0 {
			long = append(long, part...)
			part = long
		}
		if !each(part[:len(part)-1]) {
			return nil
		}
		long = long[:0]
	}
}

// LastSeq returns the highest Seq of an execution's lines, or 0.
func (l *Logs) LastSeq(executionID string) (uint64, error) {
	files, err := l.extents(executionID, "")
	var last uint64
	for _, f := range files {
		last = max(last, f.last)
	}
	return last, err
}

// Counts counts the log lines of each step that has any.
func (l *Logs) Counts(executionID string) (map[string]int, error) {
	files, err := l.extents(executionID, "")
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, f := range files {
		if f.logs < 0 {
			if f.logs, err = l.count(f); err != nil {
				return nil, err
			}
			l.remember(executionID, f)
		}
		if f.logs > 0 {
			counts[f.step] += f.logs
		}
	}
	return counts, nil
}

func (l *Logs) count(f extent) (int, error) {
	file, err := l.root.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("open a log: %w", err)
	}
	defer file.Close() //nolint:errcheck // It was only read.
	count := 0
	err = scan(io.NewSectionReader(file, 0, f.size), func(raw []byte) bool {
		if _, isLog, ok := record.LineSeq(raw); ok && isLog {
			count++
		}
		return true
	})
	if err != nil {
		return 0, fmt.Errorf("read the log %s: %w", f.path, err)
	}
	return count, nil
}

// remember keeps a count, unless the file grew meanwhile.
func (l *Logs) remember(executionID string, counted extent) {
	r, err := l.acquire(executionID)
	if err != nil {
		return
	}
	defer l.release(r)
	if f := r.files[fileName(counted.step, counted.attempt)]; f != nil && f.size == counted.size {
		f.logs = counted.logs
	}
}

// Capped lists the attempts, of one step if named, whose log is full.
func (l *Logs) Capped(executionID, step string) ([]data.CappedLog, error) {
	r, err := l.acquire(executionID)
	if err != nil {
		return nil, err
	}
	defer l.release(r)
	var capped []data.CappedLog
	for _, f := range r.files {
		if f.capped && (step == "" || step == f.step) {
			capped = append(capped, data.CappedLog{StepID: f.step, Attempt: f.attempt, Limit: l.limit, Dropped: f.dropped, After: f.last})
		}
	}
	slices.SortFunc(capped, func(a, b data.CappedLog) int {
		return cmp.Or(cmp.Compare(a.StepID, b.StepID), cmp.Compare(a.Attempt, b.Attempt))
	})
	return capped, nil
}

// Trim cuts an execution's logs so that the numbers above after have no gap:
// of lines that were never synced a power cut may keep a later one in one
// file and lose an earlier one in another. It returns how many lines it cut.
func (l *Logs) Trim(executionID string, after uint64) (cut int, err error) {
	const span = 4096
	for expected := after; ; {
		lines, next, err := l.Window(executionID, "", expected, expected+span)
		if err != nil || next == 0 {
			return 0, err
		}
		for _, line := range lines {
			if line.Seq != expected+1 {
				return l.cut(executionID, expected)
			}
			expected = line.Seq
		}
		if len(lines) == 0 {
			return l.cut(executionID, expected)
		}
	}
}

// cut removes every line of a Seq above after.
func (l *Logs) cut(executionID string, after uint64) (int, error) {
	r, err := l.acquire(executionID)
	if err != nil {
		return 0, err
	}
	defer l.release(r)
	cut := 0
	for name, f := range r.files {
		if f.last <= after {
			continue
		}
		n, err := l.cutFile(f, after)
		if err != nil {
			return cut, fmt.Errorf("cut the log %s of execution %s: %w", name, executionID, err)
		}
		cut += n
	}
	return cut, nil
}

func (l *Logs) cutFile(f *file, after uint64) (int, error) {
	handle, err := l.root.OpenFile(f.path(), os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer handle.Close() //nolint:errcheck // Truncate has said what there is to say.
	at, err := search(handle, f.size, after)
	if err != nil {
		return 0, err
	}
	cut := 0
	if err := scan(io.NewSectionReader(handle, at, f.size-at), func([]byte) bool { cut++; return true }); err != nil {
		return 0, err
	}
	if err := handle.Truncate(at); err != nil {
		return 0, err
	}
	f.first, f.last, f.logs, f.capped = 0, 0, -1, false
	return cut, l.inspect(f)
}
