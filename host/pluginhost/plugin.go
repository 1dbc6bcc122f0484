package pluginhost

import (
	"slices"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
	"github.com/vwmp/vwmp/pluginsdk"
)

// version is one content of a plugin, with what it says of itself.
type version struct {
	// file is where it was found, program what is run: a copy of it, where
	// copies are kept.
	file        *disk.Plugin
	program     *disk.Plugin
	checksum    string
	description *pluginsdk.Description
	// handlers are those of the description, in its order.
	handlers []*workflow.Handler
}

// described fills in what the plugin says of itself.
func (v *version) described(d *pluginsdk.Description) {
	v.description, v.handlers = d, make([]*workflow.Handler, len(d.Handlers))
	for k, info := range d.Handlers {
		v.handlers[k] = workflow.NewHandler(info, d.Name, d.Version)
	}
}

// name is what the plugin calls itself, or, before that is known, its file.
func (v *version) name() string {
	if v.description != nil {
		return v.description.Name
	}
	return v.file.Name()
}

// plugin is a plugin by its name, over all its versions. The fields above
// the blank line are the keeper's alone.
type plugin struct {
	name   string
	record record
	// found is the version that lies in the folders, nil where it is gone.
	found *version
	// current takes the calls; it is nil only before the first version is
	// taken up.
	current *instance
	// previous is the version before current, to turn back to.
	previous *version
	held     *Held

	tally    tally
	suspects suspects
	mu       sync.Mutex
	// leaving are the instances of earlier versions that still have calls.
	leaving []*instance
}

// record is what is kept durably of a plugin.
type record struct {
	// Disabled is nil for one that may be used.
	Disabled *disabled `json:"disabled,omitempty"`
	// Checksum is of the version in force.
	Checksum string `json:"checksum,omitempty"`
	// Rejected are the checksums of versions that crashed too often.
	Rejected []string `json:"rejected,omitempty"`
}

// maxRejected bounds the checksums that a record keeps.
const maxRejected = 20

type disabled struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

func (r *record) reject(checksum string) {
	if slices.Contains(r.Rejected, checksum) {
		return
	}
	r.Rejected = append(r.Rejected, checksum)
	r.Rejected = r.Rejected[max(0, len(r.Rejected)-maxRejected):]
}

func (r *record) forgive(checksum string) {
	r.Rejected = slices.DeleteFunc(r.Rejected, func(kept string) bool { return kept == checksum })
}

// leave notes an instance that takes no more calls, until it has ended.
func (p *plugin) leave(i *instance) {
	p.mu.Lock()
	p.leaving = append(p.leaving, i)
	p.mu.Unlock()
	i.retire()
	go func() {
		<-i.closed
		p.mu.Lock()
		defer p.mu.Unlock()
		p.leaving = slices.DeleteFunc(p.leaving, func(kept *instance) bool { return kept == i })
	}()
}

// left lists the instances that still have calls.
func (p *plugin) left() []*instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.leaving)
}

// draining counts the calls on earlier versions.
func (p *plugin) draining() int {
	calls := 0
	for _, i := range p.left() {
		calls += i.snapshot().Running
	}
	return calls
}

// sampleSize is how many calls the latency is taken from.
const sampleSize = 128

// tally is what is counted of a plugin, over all its processes.
type tally struct {
	mu       sync.Mutex
	calls    int
	failures int
	starts   int
	// cpu is the processor time of the processes that have ended; live are
	// those that have not.
	cpu       time.Duration
	live      map[*process]struct{}
	took      []time.Duration
	next      int
	lastError string
	lastWords []string
}

func (t *tally) began() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls++
}

func (t *tally) ended(kind pluginsdk.OutcomeKind, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if kind == pluginsdk.OutcomeUnknown || kind == pluginsdk.OutcomeFailure {
		t.failures++
	}
	if len(t.took) < sampleSize {
		t.took = append(t.took, took)
		return
	}
	t.took[t.next] = took
	t.next = (t.next + 1) % sampleSize
}

func (t *tally) started() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.starts++
}

// born notes a process, died that it has ended.
func (t *tally) born(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		t.live = map[*process]struct{}{}
	}
	t.live[p] = struct{}{}
}

func (t *tally) died(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, p)
	t.cpu += p.runner.used()
}

// failed notes why the last process could not start, or ended.
func (t *tally) failed(reason string, words []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastError = reason
	if words != nil {
		t.lastWords = words
	}
}

func (t *tally) fill(s *Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Calls, s.Failures, s.Restarts = t.calls, t.failures, max(0, t.starts-1)
	s.LastError, s.LastWords = t.lastError, t.lastWords
	s.CPU = t.cpu
	for p := range t.live {
		s.CPU += p.runner.used()
		s.Memory += system.Memory(p.pid)
	}
	if len(t.took) == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(t.took))
	var sum time.Duration
	for _, took := range sorted {
		sum += took
	}
	n := len(sorted)
	s.Latency = Latency{Mean: sum / time.Duration(n), P50: sorted[(n-1)/2], P95: sorted[(n-1)*95/100], Max: sorted[n-1]}
}

// suspects are the calls that were in a process when it crashed, by their
// idempotency keys. They run again one at a time, each in a process of its
// own, so that the one at fault is found and its neighbours are not blamed.
type suspects struct {
	mu   sync.Mutex
	keys map[string]struct{}
}

// maxSuspects bounds the keys; beyond it a step runs again among others.
const maxSuspects = 10000

func (s *suspects) add(keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]struct{}{}
	}
	for _, key := range keys {
		if key != "" && len(s.keys) < maxSuspects {
			s.keys[key] = struct{}{}
		}
	}
}

func (s *suspects) has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found := s.keys[key]
	return found
}

// clear lets a call off that ended in a process of its own.
func (s *suspects) clear(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
}
