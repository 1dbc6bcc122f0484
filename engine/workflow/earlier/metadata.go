package earlier

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"sync"
	"time"
)

// entry is what the metadata say of a workflow or of one of its versions.
// The earlier platform's own words changed over time; each of them is taken.
type entry struct {
	key string

	ID         string `json:"id"`
	WorkflowID string `json:"workflow_id"`
	Name       string `json:"name"`

	File     string `json:"file"`
	FilePath string `json:"file_path"`
	FileName string `json:"filename"`
	Path     string `json:"path"`

	CreatedAt moment `json:"created_at"`
	UpdatedAt moment `json:"updated_at"`
	SavedAt   moment `json:"saved_at"`
	Timestamp moment `json:"timestamp"`

	Author    string `json:"author"`
	CreatedBy string `json:"created_by"`
	Message   string `json:"message"`
	Comment   string `json:"comment"`

	Versions entries `json:"versions"`
	History  entries `json:"history"`
}

func (e *entry) file() string { return cmp.Or(e.FilePath, e.File, e.FileName, e.Path) }

func (e *entry) versions() []entry {
	return append(e.Versions[:len(e.Versions):len(e.Versions)], e.History...)
}

// updated is when what the entry stands for was saved last.
func (e *entry) updated() (time.Time, bool) {
	for _, m := range []moment{e.UpdatedAt, e.SavedAt, e.Timestamp, e.CreatedAt} {
		if !m.IsZero() {
			return m.Time, true
		}
	}
	return time.Time{}, false
}

func (e *entry) created() (time.Time, bool) { return e.CreatedAt.Time, !e.CreatedAt.IsZero() }

// entries are a list of entries, or a map of them by their ids. What is
// neither is none.
type entries []entry

// UnmarshalJSON reads either form.
func (list *entries) UnmarshalJSON(text []byte) error {
	// Numbers and words stand for no files.
	*list, _ = entriesOf(text)
	return nil
}

var errNoEntries = errors.New("it is neither a list nor a map of workflows")

func entriesOf(text []byte) ([]entry, error) {
	var list []entry
	if json.Unmarshal(text, &list) == nil {
		return list, nil
	}
	var byID map[string]json.RawMessage
	if err := json.Unmarshal(text, &byID); err != nil {
		return nil, errNoEntries
	}
	for _, id := range sortedKeys(byID) {
		e := entry{key: id}
		if json.Unmarshal(byID[id], &e) == nil && byID[id][0] == '{' {
			list = append(list, e)
		}
	}
	return list, nil
}

// readEntries reads the metadata file: the entries themselves, or under a
// key "workflows".
func readEntries(text []byte) ([]entry, error) {
	var wrapped struct {
		Workflows json.RawMessage `json:"workflows"`
	}
	if json.Unmarshal(text, &wrapped) == nil && len(wrapped.Workflows) > 0 {
		if list, err := entriesOf(wrapped.Workflows); err == nil {
			return list, nil
		}
	}
	if !json.Valid(text) {
		return nil, errors.New("it is not JSON")
	}
	return entriesOf(text)
}

// moment is a time as Python writes one: with a zone or without, which is
// UTC then, or as seconds. What is none is zero.
type moment struct{ time.Time }

var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05 MST", "2006-01-02"}

// UnmarshalJSON reads any of them.
func (m *moment) UnmarshalJSON(text []byte) error {
	var seconds float64
	if json.Unmarshal(text, &seconds) == nil && seconds > 0 && seconds < 1e11 {
		m.Time = time.UnixMicro(int64(seconds * 1e6)).UTC()
		return nil
	}
	var word string
	if json.Unmarshal(text, &word) == nil {
		for _, layout := range layouts {
			if at, err := time.Parse(layout, word); err == nil {
				m.Time = at.UTC()
				break
			}
		}
	}
	return nil
}

var stamp = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^0-9])((?:19|20)[0-9]{2})-?([01][0-9])-?([0-3][0-9])[T_ -]?([0-2][0-9])[:_-]?([0-5][0-9])[:_-]?([0-5][0-9])(?:[^0-9]|$)`)
})

// stampOf finds a time in a file's name.
func stampOf(name string) (time.Time, bool) {
	part := stamp().FindStringSubmatch(name)
	if part == nil {
		return time.Time{}, false
	}
	at, err := time.Parse("20060102150405", part[1]+part[2]+part[3]+part[4]+part[5]+part[6])
	return at, err == nil
}
