package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
)

// request is something that the keeper is to do; done gets its error.
type request struct {
	do   func(ctx context.Context, k *keeper) error
	done chan error
}

// keeper is the state of the goroutine that knows which plugins there are.
type keeper struct {
	*Host

	plugins map[string]*plugin
	// order are the plugins' names in the order of the folders.
	order   []string
	refused []Status
	// records are what was kept of plugins that were not found.
	records    map[string]record
	generation uint64
	// lock lists the plugins that may run, nil for all.
	lock *disk.Lock
	// retired are instances that have a successor, but not in the catalogue.
	retired []retirement
	// touched are the plugins that the next catalogue shows changed.
	touched []string
}

type retirement struct {
	plugin   *plugin
	instance *instance
}

func newKeeper(h *Host) *keeper {
	return &keeper{Host: h, plugins: map[string]*plugin{}, records: map[string]record{}}
}

// run finds the plugins, and then does as it is asked, until ctx ends.
func (k *keeper) run(ctx context.Context) {
	defer close(k.kept)
	watch := k.watch()
	defer watch.close()
	first, stop := context.WithTimeout(ctx, discoverTimeout)
	k.readRecords(first)
	k.scan(first, "")
	stop()
	close(k.loaded)
	if ctx.Err() != nil {
		return
	}
	k.sweepCopies()
	for {
		select {
		case r := <-k.requests:
			r.done <- r.do(ctx, k)
		case <-watch.changed():
			watch.wait(k.limits.settle)
		case <-watch.settled():
			watch.sync()
			k.scan(ctx, "")
		case <-ctx.Done():
			return
		}
	}
}

// ask has the keeper do something, and waits for it.
func (h *Host) ask(ctx context.Context, do func(ctx context.Context, k *keeper) error) error {
	r := request{do, make(chan error, 1)}
	select {
	case h.requests <- r:
	case <-h.kept:
		return errStopping
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watch is the keeper's view of the plugin folders. Its methods do nothing for
// a host that does not watch them.
type watch struct {
	watcher *disk.Watcher
	timer   *time.Timer
	// since is when the first change came that was not looked at.
	since time.Time
}

// maxUnrest is after how many times the wait for quiet the folders are looked
// at although they still change.
const maxUnrest = 10

func (k *keeper) watch() *watch {
	if !k.options.Watch {
		return &watch{}
	}
	watcher, err := disk.Watch(k.options.Dirs, k.log)
	if err != nil {
		k.log.Warn("the plugin folders can't be watched; use \"vwmp plugin reload\" after a change", "error", err)
		return &watch{}
	}
	w := &watch{watcher: watcher, timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

func (w *watch) changed() <-chan struct{} {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Changed
}

func (w *watch) settled() <-chan time.Time {
	if w.watcher == nil {
		return nil
	}
	return w.timer.C
}

// wait puts the look off until the folders were quiet for a while.
func (w *watch) wait(settle time.Duration) {
	now := time.Now()
	if w.since.IsZero() {
		w.since = now
	}
	w.timer.Reset(max(0, min(settle, maxUnrest*settle-now.Sub(w.since))))
}

// sync watches what is new. It comes before the look, so that nothing changes
// unseen between the two.
func (w *watch) sync() {
	w.since = time.Time{}
	w.watcher.Sync()
}

func (w *watch) close() {
	if w.watcher != nil {
		w.timer.Stop()
		_ = w.watcher.Close()
	}
}

// readRecords reads what was kept of plugins.
func (k *keeper) readRecords(ctx context.Context) {
	if k.options.Store == nil {
		return
	}
	kept, err := k.options.Store.PluginRecords(ctx)
	if err != nil {
		k.log.Error("what was kept of plugins can't be read", "error", err)
	}
	for name, raw := range kept {
		var r record
		if err := json.Unmarshal(raw, &r); err != nil {
			k.log.Error("what was kept of a plugin can't be read", "plugin", name, "error", err)
			continue
		}
		k.records[name] = r
	}
}

// keepRecord makes a plugin's record durable.
func (k *keeper) keepRecord(ctx context.Context, p *plugin) error {
	if k.options.Store == nil {
		return nil
	}
	raw, err := json.Marshal(p.record)
	if err == nil {
		err = k.options.Store.PutPluginRecord(ctx, p.name, raw)
	}
	if err != nil {
		return fmt.Errorf("keep what is decided of plugin %s: %w", p.name, err)
	}
	return nil
}

// scan looks what lies in the folders and takes it up. Of the plugin named by
// forced, what was held back is taken up too.
func (k *keeper) scan(ctx context.Context, forced string) {
	list, refused := k.searchAll()
	k.lock = k.readLock()
	failures := k.describeAll(ctx, list, k.lock)
	if k.keeping.Err() != nil {
		// The host stops: what was cut short says nothing about the plugins.
		return
	}
	owners, order := map[string]*version{}, []string{}
	broken := map[string]error{}
	for n, v := range list {
		err := failures[n]
		if err == nil {
			if first := owners[v.name()]; first != nil {
				err = fmt.Errorf("%s is the plugin %q already, and the first one counts", disk.ShortPath(first.file.Path), v.name())
			}
		}
		if err != nil {
			broken[v.file.Path] = err
			refused = append(refused, refusal(v.file.Path, err))
			continue
		}
		owners[v.name()], order = v, append(order, v.name())
	}
	for _, status := range refused {
		if !slices.ContainsFunc(k.refused, func(known Status) bool {
			return known.Path == status.Path && known.Reason == status.Reason
		}) {
			k.log.Warn("a plugin is not used", "file", status.Path, "reason", status.Reason)
		}
	}
	k.refused = refused
	k.takeUp(ctx, owners, order, broken, forced)
	k.publish()
}

// takeUp brings the plugins in line with what was found.
func (k *keeper) takeUp(ctx context.Context, owners map[string]*version, order []string, broken map[string]error, forced string) {
	for _, name := range order {
		if k.plugins[name] == nil {
			k.plugins[name] = &plugin{name: name, record: k.records[name]}
			delete(k.records, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(k.plugins)) {
		p := k.plugins[name]
		p.found = owners[name]
		reason := error(nil)
		if p.found == nil && p.current != nil {
			reason = broken[p.current.version.file.Path]
		}
		if k.settle(ctx, p, reason, name == forced) && !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	k.order = order
}

// settle decides which version of a plugin is in force. It reports whether
// there is one.
func (k *keeper) settle(ctx context.Context, p *plugin, broken error, forced bool) bool {
	before := p.held
	p.held = nil
	defer func() {
		if (before == nil) != (p.held == nil) || before != nil && before.Checksum != p.held.Checksum {
			k.touched = append(k.touched, p.name)
		}
	}()
	inForce := k.inForce(ctx, p)
	if inForce != nil && !k.lock.Allows(inForce.checksum) {
		// What is not pinned any more does not run on.
		inForce = nil
	}
	switch {
	case p.found == nil && inForce == nil:
		k.forget(p)
		return false
	case p.found == nil:
		return k.settleMissing(ctx, p, inForce, broken, forced)
	case inForce == nil || inForce.checksum == p.found.checksum:
		p.record.forgive(p.found.checksum)
		k.adopt(ctx, p, p.found)
		return true
	}
	p.held = k.objection(ctx, p, inForce, forced)
	if p.held == nil {
		k.adopt(ctx, p, p.found)
		return true
	}
	if before == nil || before.Checksum != p.held.Checksum {
		k.log.Warn("a version of a plugin is held back", "plugin", p.name, "version", p.held.Version, "reason", p.held.Message)
	}
	if p.current == nil {
		k.adopt(ctx, p, inForce)
	}
	return true
}

// inForce is the version that takes the calls, or, at a start, took them when
// the last host ended; nil where there is none, or no copy of it.
func (k *keeper) inForce(ctx context.Context, p *plugin) *version {
	if p.current != nil {
		return p.current.version
	}
	if p.found != nil && p.found.checksum == p.record.Checksum {
		return p.found
	}
	return k.fromCopy(ctx, p.record.Checksum)
}

// settleMissing decides about a plugin whose file is gone, or can't be used
// any more.
func (k *keeper) settleMissing(ctx context.Context, p *plugin, inForce *version, broken error, forced bool) bool {
	held := &Held{Reason: HeldRemoved, Message: "its file is gone"}
	changes, err := k.impact(ctx, inForce.description, nil)
	switch {
	case broken != nil:
		held = &Held{Reason: HeldBroken, Message: "its file can't be used: " + broken.Error()}
	case err != nil:
		held = &Held{Reason: HeldUnchecked, Message: "its file is gone, and the stored workflows can't be read: " + err.Error()}
	case len(changes) == 0 || forced:
		k.forget(p)
		return false
	default:
		held.Changes, held.Message = changes, "its file is gone, and stored workflows use what it offers"
	}
	p.held = held
	if p.current == nil {
		k.adopt(ctx, p, inForce)
	}
	return true
}

// forget lets a plugin go. One that is disabled still is where it comes back.
func (k *keeper) forget(p *plugin) {
	if p.current != nil {
		k.retire(p, p.current)
		p.current = nil
		k.log.Info("a plugin is gone", "plugin", p.name)
	}
	delete(k.plugins, p.name)
	k.touched = append(k.touched, p.name)
	if p.record.Disabled != nil {
		k.records[p.name] = p.record
	}
}

// objection is why the version that was found does not take the place of the
// one in force, nil where it may.
func (k *keeper) objection(ctx context.Context, p *plugin, inForce *version, forced bool) *Held {
	d := p.found.description
	held := &Held{Version: d.Version, Checksum: p.found.checksum}
	if forced {
		p.record.forgive(p.found.checksum)
		return nil
	}
	if slices.Contains(p.record.Rejected, p.found.checksum) {
		held.Reason, held.Message = HeldCrashed, "it crashed too often when it was used"
		return held
	}
	changes, err := k.impact(ctx, inForce.description, d)
	switch {
	case err != nil:
		held.Reason, held.Message = HeldUnchecked, "the stored workflows can't be read: "+err.Error()
	case len(changes) > 0:
		held.Reason, held.Message, held.Changes = HeldBreaking, "stored workflows would not go together with it", changes
	default:
		return nil
	}
	return held
}

// adopt puts a version in force, unless it is already.
func (k *keeper) adopt(ctx context.Context, p *plugin, v *version) {
	if p.current != nil && p.current.version.checksum == v.checksum {
		return
	}
	if k.copies != nil {
		kept, err := k.copies.Take(v.file)
		if err != nil {
			// It runs from where it lies; only a replacement of the file
			// would then end its calls.
			k.log.Error("a plugin could not be copied", "plugin", p.name, "error", err)
		} else {
			v.program = kept
		}
	}
	if p.current != nil {
		p.previous = p.current.version
		k.retire(p, p.current)
		k.log.Info("a plugin has a new version", "plugin", p.name, "version", v.description.Version, "before", p.previous.description.Version)
	}
	k.install(p, v)
	if p.record.Checksum == v.checksum {
		return
	}
	p.record.Checksum = v.checksum
	if err := k.keepRecord(ctx, p); err != nil {
		k.log.Error("the next start may take another version", "error", err)
	}
}

// install makes an instance of a version, and so processes of its own.
func (k *keeper) install(p *plugin, v *version) {
	p.current = newInstance(k.Host, p, v)
	k.touched = append(k.touched, p.name)
}

// retire lets an instance end once the catalogue has its successor.
func (k *keeper) retire(p *plugin, i *instance) {
	k.retired = append(k.retired, retirement{p, i})
}

// renew gives a plugin a fresh instance of the version in force: a process
// that runs is left to its calls.
func (k *keeper) renew(p *plugin) {
	k.retire(p, p.current)
	k.install(p, p.current.version)
}

// renew is told by an instance that its process should have a successor. It
// does not wait.
func (h *Host) renew(i *instance) {
	go func() {
		// The error is that the host stops.
		_ = h.ask(h.keeping, func(_ context.Context, k *keeper) error {
			if p := i.plugin; k.plugins[p.name] == p && p.current == i {
				k.renew(p)
				k.publish()
			}
			return nil
		})
	}()
}

// publish makes the catalogue of what is decided, and tells of it.
func (k *keeper) publish() {
	entries := make([]*entry, 0, len(k.order))
	for _, name := range k.order {
		p := k.plugins[name]
		e := &entry{plugin: p, instance: p.current, path: p.current.version.file.Path, disabled: p.record.Disabled, held: p.held}
		entries = append(entries, e)
	}
	k.generation++
	c := newCatalogue(k.generation, entries, k.refused, k.log.Warn)
	c.pinned = k.lock != nil
	k.catalog.Store(c)
	for _, r := range k.retired {
		r.plugin.leave(r.instance)
	}
	k.retired = nil
	touched := slices.Compact(slices.Sorted(slices.Values(k.touched)))
	k.touched = nil
	k.changed(Change{Plugins: touched, Catalogue: true})
}

// copyLife is how long a copy that nothing names is kept after it was used:
// an execution may still have to ask it what became of an attempt.
const copyLife = 30 * 24 * time.Hour

// sweepCopies removes copies of versions that are long gone.
func (k *keeper) sweepCopies() {
	if k.copies == nil {
		return
	}
	keep := map[string]bool{}
	for _, p := range k.plugins {
		keep[p.record.Checksum] = true
	}
	if err := k.copies.Sweep(keep, time.Now().Add(-copyLife)); err != nil {
		k.log.Warn("old copies of plugins could not be removed", "error", err)
	}
}

// turnBack is told by an instance that its version crashes too often. It does
// not wait.
func (h *Host) turnBack(i *instance) {
	go func() {
		err := h.ask(h.keeping, func(ctx context.Context, k *keeper) error { return k.turnBack(ctx, i) })
		if err != nil && !errors.Is(err, errStopping) && h.keeping.Err() == nil {
			h.log.Error("a plugin could not be turned back to its version before", "plugin", i.plugin.name, "error", err)
		}
	}()
}

func (k *keeper) turnBack(ctx context.Context, i *instance) error {
	p := i.plugin
	if k.plugins[p.name] != p || p.current != i || p.previous == nil {
		return nil
	}
	back := p.previous
	if !k.lock.Allows(back.checksum) {
		return nil
	}
	if k.copies != nil && k.copies.Find(back.checksum) == nil {
		return nil
	}
	bad := i.version
	k.log.Error("a new version of a plugin crashed too often, and the one before takes its place",
		"plugin", p.name, "version", bad.description.Version, "before", back.description.Version)
	p.record.reject(bad.checksum)
	s := Status{}
	p.tally.fill(&s)
	p.held = &Held{
		Version: bad.description.Version, Checksum: bad.checksum, Reason: HeldCrashed,
		Message: fmt.Sprintf("it crashed %d times within %s", k.limits.turnBackExits, k.limits.turnBackWindow), LastWords: s.LastWords,
	}
	p.previous = nil
	k.retire(p, i)
	k.install(p, back)
	p.record.Checksum = back.checksum
	k.publish()
	return k.keepRecord(ctx, p)
}
