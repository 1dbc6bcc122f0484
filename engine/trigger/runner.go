package trigger

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
)

const (
	// retrySync is when a workflow that could not be read is read again.
	retrySync = 5 * time.Second
	// lookAgain bounds the sleep until a due time: the clock on the wall may
	// be set meanwhile.
	lookAgain = time.Minute
)

// Runner owns all triggers. Its methods may be called from several goroutines
// at once; those that need the triggers wait until Run has read them.
type Runner struct {
	options Options
	log     *slog.Logger
	woken   chan struct{}
	loaded  chan struct{}

	// syncing lets one reading of workflows go at a time, so that an older
	// one never replaces a newer one.
	syncing sync.Mutex

	// gaveUp belongs to Run: the engine was stopping when a start was due.
	gaveUp bool

	mu sync.Mutex
	// reading is set until Run has read all triggers.
	reading bool
	// stale are workflows that must be read again.
	stale   map[string]struct{}
	entries map[string]*entry
	// hooks finds a webhook's trigger by the hash of its token, which takes
	// as long for a token that is nearly right.
	hooks map[[sha256.Size]byte]*entry
	// spare are the records of triggers whose workflow is a draft just now.
	spare map[string]*record
	files fileChanges
}

// entry is one trigger; it belongs to the Runner's lock.
type entry struct {
	*shape
	record *record
	// next is when a schedule is due; zero where it is not.
	next time.Time
	// atStart is set until a trigger that was there when Run began has been
	// looked at for what it missed.
	atStart bool
	calls   callLog
	target  *target
}

// shape is what a workflow's newest revision says of a trigger; it is never
// changed.
type shape struct {
	id           string
	workflowID   string
	workflowName string
	version      string
	draft        bool
	trigger      workflow.Trigger
	template     *workflow.Template
	config       json.RawMessage
	schedule     *Schedule
}

// active reports whether the trigger may fire by itself.
func (e *entry) active() bool { return e.trigger.Enabled && !e.draft && !e.record.Paused }

// NewRunner returns a Runner that does nothing until Run.
func NewRunner(options Options) *Runner {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Ready == nil {
		options.Ready = func(context.Context) error { return nil }
	}
	if options.Noted == nil {
		options.Noted = func(workflow.TriggerType, Firing) {}
	}
	if options.Poll <= 0 {
		options.Poll = defaultPoll
	}
	return &Runner{
		options: options, log: options.Logger, woken: make(chan struct{}, 1), loaded: make(chan struct{}), reading: true,
		stale: map[string]struct{}{}, entries: map[string]*entry{}, hooks: map[[sha256.Size]byte]*entry{}, spare: map[string]*record{},
		files: newFileChanges(),
	}
}

func (r *Runner) now() time.Time { return r.options.Clock.Now().UTC() }

func (r *Runner) wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// Run reads all triggers, waits for begin to be closed, and fires until ctx
// ends. It is called once.
func (r *Runner) Run(ctx context.Context, begin <-chan struct{}) {
	for err := r.load(ctx); err != nil; err = r.load(ctx) {
		if ctx.Err() != nil {
			return
		}
		r.log.Error("the triggers can't be read; trying again", "error", err)
		if !r.sleep(ctx, retrySync) {
			return
		}
	}
	// What was saved during the reading is read again, and from now on by
	// whoever saves.
	r.mu.Lock()
	r.reading = false
	r.mu.Unlock()
	r.syncStale(ctx)
	close(r.loaded)
	select {
	case <-begin:
	case <-ctx.Done():
		return
	}
	var watcher sync.WaitGroup
	watcher.Go(func() { r.watchFiles(ctx) })
	defer watcher.Wait()
	for ctx.Err() == nil {
		wait := r.turn(ctx)
		stop := func() bool { return true }
		if wait >= 0 {
			stop = r.options.Clock.AfterFunc(wait, r.wake)
		}
		select {
		case <-ctx.Done():
		case <-r.woken:
		}
		stop()
	}
}

// sleep waits, and is false where ctx ended first.
func (r *Runner) sleep(ctx context.Context, d time.Duration) bool {
	over := make(chan struct{})
	stop := r.options.Clock.AfterFunc(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// load reads every record and every workflow.
func (r *Runner) load(ctx context.Context) error {
	records, err := r.options.Records.TriggerRecords(ctx)
	if err != nil {
		return err
	}
	names, err := r.options.Sources.SourceNames(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	for id, raw := range records {
		kept := &record{}
		if err := json.Unmarshal(raw, kept); err != nil {
			r.log.Error("the record of a trigger can't be read; it begins anew", "trigger", id, "error", err)
			continue
		}
		r.spare[id] = kept
	}
	r.mu.Unlock()
	for id := range names {
		if err := r.sync(ctx, id); err != nil {
			return err
		}
	}
	for id := range records {
		workflowID, _, _ := strings.Cut(id, ".")
		if _, there := names[workflowID]; !there {
			r.forget(ctx, id)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.entries {
		e.atStart = true
	}
	return nil
}

// Changed takes up what was saved of a workflow, or that it was deleted. It
// returns when the triggers are as the newest revision has them, or will be as
// soon as it can be read.
func (r *Runner) Changed(ctx context.Context, workflowID string) {
	r.mu.Lock()
	reading := r.reading
	if reading {
		r.stale[workflowID] = struct{}{}
	}
	r.mu.Unlock()
	if reading {
		return
	}
	if err := r.sync(ctx, workflowID); err != nil {
		r.log.Warn("the triggers of a workflow can't be read; trying again", "workflow_id", workflowID, "error", err)
		r.mu.Lock()
		r.stale[workflowID] = struct{}{}
		r.mu.Unlock()
		r.wake()
	}
}

// turn does what is due, and says how long nothing will be: below zero is
// for ever.
func (r *Runner) turn(ctx context.Context) time.Duration {
	r.syncStale(ctx)
	r.fireSchedules(ctx)
	r.fireEnds(ctx)
	r.fireFiles(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := time.Duration(-1)
	sooner := func(d time.Duration) {
		if d = max(d, 0); wait < 0 || d < wait {
			wait = d
		}
	}
	now := r.now()
	for _, e := range r.entries {
		if e.active() && !e.next.IsZero() {
			sooner(min(e.next.Sub(now), lookAgain))
		}
	}
	if len(r.stale) > 0 {
		sooner(retrySync)
	}
	if r.gaveUp {
		// What is due stays due while the engine takes nothing.
		wait, r.gaveUp = max(wait, retrySync), false
	}
	return wait
}

func (r *Runner) syncStale(ctx context.Context) {
	r.mu.Lock()
	stale := r.stale
	if len(stale) > 0 {
		r.stale = map[string]struct{}{}
	}
	r.mu.Unlock()
	for id := range stale {
		if err := r.sync(ctx, id); err != nil && ctx.Err() == nil {
			r.mu.Lock()
			r.stale[id] = struct{}{}
			r.mu.Unlock()
		}
	}
}

// sync makes the triggers of one workflow what its newest revision says.
func (r *Runner) sync(ctx context.Context, workflowID string) error {
	r.syncing.Lock()
	defer r.syncing.Unlock()
	source, err := r.options.Sources.Source(ctx, workflowID)
	gone := errors.Is(err, engine.ErrNotFound)
	if err != nil && !gone {
		return err
	}
	var shapes []*shape
	if !gone && !source.Draft {
		if shapes, err = shapesOf(&source); err != nil {
			// It was valid when it was saved: a later version of the language.
			r.log.Error("the triggers of a workflow can't be used", "workflow_id", workflowID, "error", err)
		}
	}
	r.mu.Lock()
	var removed []string
	for id, e := range r.entries {
		switch {
		case e.workflowID != workflowID:
		case source.Draft:
			resting := *e.shape
			resting.draft = true
			e.shape, e.next = &resting, time.Time{}
		case !slices.ContainsFunc(shapes, func(s *shape) bool { return s.id == id }):
			removed = append(removed, id)
		}
	}
	for id := range r.spare {
		if owner, _, _ := strings.Cut(id, "."); owner == workflowID && !source.Draft && !slices.ContainsFunc(shapes, func(s *shape) bool { return s.id == id }) {
			removed = append(removed, id)
		}
	}
	r.mu.Unlock()
	for _, id := range removed {
		r.forget(ctx, id)
	}
	for _, s := range shapes {
		r.adopt(ctx, s)
	}
	r.refresh()
	return nil
}

// refresh tells those that wait for something whether there is still somebody
// who waits for it.
func (r *Runner) refresh() {
	r.mu.Lock()
	watching := false
	for _, e := range r.entries {
		watching = watching || e.trigger.Type == workflow.TriggerWorkflow
	}
	r.mu.Unlock()
	r.options.Ends.follow(watching, r.wake)
	r.files.wake()
	r.wake()
}

// shapesOf reads the triggers of a valid definition.
func shapesOf(source *Source) ([]*shape, error) {
	if !strings.Contains(string(source.Document), `"triggers"`) {
		return nil, nil
	}
	document, problems := workflow.Parse(source.Document, workflow.ParseOptions{Format: workflow.FormatJSON})
	if document == nil || problems.HasErrors() {
		return nil, fmt.Errorf("workflow %s: %w", source.ID, &engine.ProblemsError{Summary: "the definition has problems", Problems: problems.Errors()})
	}
	definition := document.Definition
	var shapes []*shape
	for i := range definition.Triggers {
		t := definition.Triggers[i]
		s := &shape{
			id: ID(source.ID, t.ID), workflowID: source.ID, workflowName: definition.Name, version: definition.Version,
			trigger: t, config: definition.Config,
		}
		template, problems := workflow.ParseTemplate(t.Parameters, "/parameters")
		if problems.HasErrors() {
			return nil, fmt.Errorf("trigger %s: %s", s.id, problems[0].Message)
		}
		s.template = template
		if t.Type == workflow.TriggerSchedule {
			schedule, err := ParseSchedule(t.Cron, t.Timezone)
			if err != nil {
				return nil, fmt.Errorf("trigger %s: %w", s.id, err)
			}
			s.schedule = schedule
		}
		shapes = append(shapes, s)
	}
	return shapes, nil
}

// print is what must stay the same for a trigger to go on where it was.
func (s *shape) print() string {
	t := &s.trigger
	raw, err := json.Marshal([]any{t.Type, t.Enabled, t.Cron, t.Timezone, t.Workflow, t.Statuses, t.Glob})
	if err != nil {
		return ""
	}
	return string(raw)
}

// adopt takes up one trigger of a workflow's newest revision.
func (r *Runner) adopt(ctx context.Context, s *shape) {
	target := r.baseline(s)
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[s.id]
	if e == nil {
		e = &entry{record: r.spare[s.id]}
		delete(r.spare, s.id)
		r.entries[s.id] = e
	}
	e.shape = s
	if e.record == nil {
		e.record = &record{}
	}
	if target != nil || s.trigger.Type != workflow.TriggerFile {
		e.target = target
	}
	now := r.now()
	if kind := s.print(); e.record.Shape != kind {
		e.record.Shape, e.record.Since, e.record.Handled = kind, now, now
		if s.trigger.Type == workflow.TriggerWebhook && e.record.Token == "" {
			e.record.Token = newToken()
		}
		r.keep(ctx, e)
	}
	if s.trigger.Type == workflow.TriggerWebhook {
		r.hooks[sha256.Sum256([]byte(e.record.Token))] = e
	}
	r.plan(e)
}

// plan sets when a schedule is due next; the caller has the lock.
func (r *Runner) plan(e *entry) {
	e.next = time.Time{}
	if e.schedule != nil && e.active() {
		e.next = e.schedule.Next(e.record.Handled)
	}
}

// newToken makes what opens a webhook: 32 random bytes as text.
func newToken() string {
	random := make([]byte, 32)
	// It never fails: the program ends where the system has no chance.
	_, _ = rand.Read(random)
	return base64.RawURLEncoding.EncodeToString(random)
}

// forget drops a trigger that is no longer there, with its record.
func (r *Runner) forget(ctx context.Context, id string) {
	r.mu.Lock()
	if e := r.entries[id]; e != nil {
		delete(r.hooks, sha256.Sum256([]byte(e.record.Token)))
	}
	delete(r.entries, id)
	delete(r.spare, id)
	r.mu.Unlock()
	if err := r.options.Records.DeleteTriggerRecord(ctx, id); err != nil {
		r.log.Warn("the record of a trigger that is gone can't be deleted", "trigger", id, "error", err)
	}
}

// keep writes a trigger's record; the caller has the lock. A record that can't
// be written is written with the next one.
func (r *Runner) keep(ctx context.Context, e *entry) {
	if err := r.put(ctx, e); err != nil {
		r.log.Error("what came of a trigger can't be kept", "trigger", e.id, "workflow_id", e.workflowID, "error", err)
	}
}

func (r *Runner) put(ctx context.Context, e *entry) error {
	raw, err := json.Marshal(e.record)
	if err != nil {
		return fmt.Errorf("encode the record of trigger %s: %w", e.id, err)
	}
	// What was done must be kept although its caller has gone.
	return r.options.Records.PutTriggerRecord(context.WithoutCancel(ctx), e.id, raw)
}

// note keeps a firing, unless the trigger is gone by now.
func (r *Runner) note(ctx context.Context, e *entry, handled time.Time, firings ...Firing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range firings {
		f.At = r.now()
		e.record.add(f)
		r.options.Noted(e.trigger.Type, f)
	}
	// A trigger that was changed meanwhile has begun anew.
	if handled.After(e.record.Since) {
		e.record.Handled = handled
	}
	if r.entries[e.id] == e {
		r.keep(ctx, e)
		r.plan(e)
	}
}

// Figures are what an operator watches of the triggers.
type Figures struct {
	// Active counts those that may fire by themselves, by their types, Paused
	// those that somebody paused.
	Active map[workflow.TriggerType]int
	Paused int
	// NextDue is when the next schedule is due; zero where none is.
	NextDue time.Time
}

// Figures counts the triggers that are known so far; it waits for nothing.
func (r *Runner) Figures() Figures {
	f := Figures{Active: map[workflow.TriggerType]int{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.entries {
		if e.record.Paused {
			f.Paused++
		}
		if !e.active() {
			continue
		}
		f.Active[e.trigger.Type]++
		if !e.next.IsZero() && (f.NextDue.IsZero() || e.next.Before(f.NextDue)) {
			f.NextDue = e.next
		}
	}
	return f
}

// list gives the entries that pass a test, in the order of their ids.
func (r *Runner) list(pass func(*entry) bool) []*entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*entry
	for _, e := range r.entries {
		if pass(e) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return cmp.Compare(a.id, b.id) })
	return list
}
