package trigger

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
)

const (
	// defaultPoll is how often files are looked at. Looking is a walk through
	// the folder that the glob begins with: it needs no watch of the system
	// for each folder, works on every file system, and costs nothing where no
	// trigger is about files.
	defaultPoll = 2 * time.Second
	// walkShare bounds the part of the time that goes into walks: the next
	// one waits so many times as long as the last one took.
	walkShare = 50
	// maxEntries bounds the files and folders that one walk looks at.
	maxEntries = 50000
	// maxUnrest is after how many times its debounce a trigger fires although
	// files go on changing, and minUnrest the least of it.
	maxUnrest = 10
	minUnrest = time.Minute
)

// target is what one file trigger watches. Once it is taken up it belongs to
// the goroutine that watches files.
type target struct {
	glob     string
	debounce time.Duration
	base     string
	match    *regexp.Regexp

	seen map[string]fileState
	// cut: there were more entries than a walk looks at.
	cut bool
	// changed are paths and how they changed, since first and until last.
	changed     map[string]string
	first, last time.Time
}

type fileState struct {
	size     int64
	modified time.Time
}

// fileChanges is what the watching goroutine hands to Run.
type fileChanges struct {
	mu     sync.Mutex
	ready  map[string]map[string]string
	notice chan struct{}
}

func newFileChanges() fileChanges {
	return fileChanges{ready: map[string]map[string]string{}, notice: make(chan struct{}, 1)}
}

// wake has the watching goroutine look for what there is to watch.
func (c *fileChanges) wake() {
	select {
	case c.notice <- struct{}{}:
	default:
	}
}

// baseline takes the state from which a file trigger sees changes, unless the
// trigger is watched already.
func (r *Runner) baseline(s *shape) *target {
	if s.trigger.Type != workflow.TriggerFile {
		return nil
	}
	r.mu.Lock()
	e := r.entries[s.id]
	known := e != nil && e.target != nil && e.target.glob == s.trigger.Glob && e.target.debounce == s.trigger.Debounce
	r.mu.Unlock()
	if known {
		return nil
	}
	base, match := compileGlob(s.trigger.Glob)
	t := &target{glob: s.trigger.Glob, debounce: s.trigger.Debounce, base: base, match: match, changed: map[string]string{}}
	seen, cut, err := t.walk(r.options.Workspace.Dir)
	if err != nil {
		r.log.Warn("the workspace can't be looked at", "trigger", s.id, "workflow_id", s.workflowID, "error", err)
	}
	t.seen, t.cut = seen, cut
	if cut {
		r.log.Warn("a file trigger watches too many files; make its glob begin with a folder", "trigger", s.id, "workflow_id", s.workflowID, "glob", t.glob, "most", maxEntries)
	}
	return t
}

// watchFiles looks at the files of all file triggers until ctx ends. Without
// any it sleeps until it is told of one.
func (r *Runner) watchFiles(ctx context.Context) {
	for {
		wait := r.lookAtFiles(ctx)
		stop := func() bool { return true }
		if wait > 0 {
			stop = r.options.Clock.AfterFunc(wait, r.files.wake)
		}
		select {
		case <-ctx.Done():
			stop()
			return
		case <-r.files.notice:
		}
		stop()
	}
}

// lookAtFiles walks once for each file trigger, and says how long to wait; 0
// is for ever.
func (r *Runner) lookAtFiles(ctx context.Context) time.Duration {
	var wait time.Duration
	sooner := func(d time.Duration) {
		if wait == 0 || d < wait {
			wait = d
		}
	}
	for _, e := range r.list(func(e *entry) bool { return e.target != nil && e.trigger.Type == workflow.TriggerFile }) {
		if ctx.Err() != nil {
			return 0
		}
		r.mu.Lock()
		t, active := e.target, e.active()
		r.mu.Unlock()
		if !active {
			// What changes meanwhile is not to fire later.
			t.changed, t.seen = map[string]string{}, nil
			continue
		}
		began := time.Now()
		seen, cut, err := t.walk(r.options.Workspace.Dir)
		took := time.Since(began)
		now := r.options.Clock.Now()
		if err == nil {
			t.compare(seen, cut, now)
		} else {
			r.log.Warn("the workspace can't be looked at", "trigger", e.id, "workflow_id", e.workflowID, "error", err)
		}
		if changed := t.settled(now); changed != nil {
			r.files.hand(e.id, changed)
			r.wake()
		}
		next := max(r.options.Poll, walkShare*took)
		if len(t.changed) > 0 {
			next = min(next, max(t.debounce/2, walkShare*took, 20*time.Millisecond))
		}
		sooner(next)
	}
	return wait
}

// hand queues what changed, beside what Run has not taken yet.
func (c *fileChanges) hand(id string, changed map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready[id] == nil {
		c.ready[id] = changed
		return
	}
	maps.Copy(c.ready[id], changed)
}

// take gives what changed since it was asked last.
func (c *fileChanges) take() map[string]map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ready) == 0 {
		return nil
	}
	taken := c.ready
	c.ready = map[string]map[string]string{}
	return taken
}

// fireFiles starts what file triggers want of the changes there were.
func (r *Runner) fireFiles(ctx context.Context) {
	changes := r.files.take()
	for _, id := range slices.Sorted(maps.Keys(changes)) {
		e, s, err := r.find(ctx, id)
		if err != nil {
			continue
		}
		r.mu.Lock()
		active := e.active()
		r.mu.Unlock()
		if !active {
			continue
		}
		execution, err := r.start(ctx, s, cause{payload: filesPayload(changes[id])})
		if givenUp(ctx, err) {
			return
		}
		r.note(ctx, e, time.Time{}, r.outcome(s, Firing{}, execution, err))
	}
}

// The ways in which a file changes; they name the lists of the payload too.
const (
	fileAdded    = "added"
	fileModified = "modified"
	fileRemoved  = "removed"
)

// filesPayload lists paths relative to the workspace, the first of them where
// there are very many.
func filesPayload(changed map[string]string) map[string]any {
	paths := slices.Sorted(maps.Keys(changed))
	payload := map[string]any{"count": len(paths)}
	lists := map[string][]string{fileAdded: {}, fileModified: {}, fileRemoved: {}}
	paths = paths[:min(len(paths), MaxFiles)]
	for _, name := range paths {
		lists[changed[name]] = append(lists[changed[name]], name)
	}
	for how, list := range lists {
		payload[how] = list
	}
	payload["files"] = paths
	return payload
}

// compare notes what is not as it was.
func (t *target) compare(seen map[string]fileState, cut bool, now time.Time) {
	before, whole := t.seen, t.cut == cut
	t.seen, t.cut = seen, cut
	if before == nil || !whole {
		// Nothing to compare with, or two walks that ended elsewhere.
		return
	}
	note := func(name, how string) {
		if len(t.changed) == 0 {
			t.first = now
		}
		t.changed[name], t.last = how, now
	}
	for name, state := range seen {
		switch old, known := before[name]; {
		case !known:
			note(name, fileAdded)
		case old.size != state.size || !old.modified.Equal(state.modified):
			note(name, fileModified)
		}
	}
	for name := range before {
		// What a walk that was cut short does not show may still be there.
		if _, there := seen[name]; !there && !cut {
			note(name, fileRemoved)
		}
	}
}

// settled gives what changed once nothing has changed for the debounce, or
// things have changed for too long.
func (t *target) settled(now time.Time) map[string]string {
	if len(t.changed) == 0 || now.Sub(t.last) < t.debounce && now.Sub(t.first) < max(maxUnrest*t.debounce, minUnrest) {
		return nil
	}
	changed := t.changed
	t.changed = map[string]string{}
	return changed
}

// walk looks at the files that the glob names. It follows no link and stays
// in the workspace; what can't be read is not there.
func (t *target) walk(dir string) (seen map[string]fileState, cut bool, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	seen = map[string]fileState{}
	entries := 0
	walkErr := fs.WalkDir(root.FS(), t.base, func(name string, d fs.DirEntry, err error) error {
		entries++
		switch {
		case entries > maxEntries:
			cut = true
			return fs.SkipAll
		case err != nil && d != nil && d.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil //nolint:nilerr // What can't be read is not there.
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.Type().IsRegular() && t.match.MatchString(name):
			if info, err := d.Info(); err == nil {
				seen[name] = fileState{info.Size(), info.ModTime()}
			}
		}
		return nil
	})
	return seen, cut, walkErr
}

// compileGlob gives the folder with which a pattern begins, and what matches
// it: * and ? within a folder, ** across folders, [a-z] and {a,b}.
func compileGlob(glob string) (base string, match *regexp.Regexp) {
	glob = path.Clean(strings.ToValidUTF8(glob, "\uFFFD"))
	var text strings.Builder
	text.WriteString(`\A`)
	depth := 0
	for rest := glob; rest != ""; {
		c := rest[0]
		switch {
		case strings.HasPrefix(rest, "**/"):
			text.WriteString(`(?:.*/)?`)
			rest = rest[3:]
			continue
		case strings.HasPrefix(rest, "**"):
			text.WriteString(`.*`)
			rest = rest[2:]
			continue
		case c == '*':
			text.WriteString(`[^/]*`)
		case c == '?':
			text.WriteString(`[^/]`)
		case c == '[':
			if class, length := classOf(rest); length > 0 {
				text.WriteString(class)
				rest = rest[length:]
				continue
			}
			text.WriteString(`\[`)
		case c == '{':
			depth++
			text.WriteString(`(?:`)
		case c == '}' && depth > 0:
			depth--
			text.WriteString(`)`)
		case c == ',' && depth > 0:
			text.WriteString(`|`)
		default:
			length := 1
			for length < len(rest) && rest[length]&0xC0 == 0x80 {
				length++
			}
			text.WriteString(regexp.QuoteMeta(rest[:length]))
			rest = rest[length:]
			continue
		}
		rest = rest[1:]
	}
	text.WriteString(`\z`)
	compiled, err := regexp.Compile(text.String())
	if err != nil {
		// A class such as [z-a]: the pattern is taken letter by letter.
		compiled = regexp.MustCompile(`\A` + regexp.QuoteMeta(glob) + `\z`)
	}
	return baseOf(glob), compiled
}

// baseOf is the deepest folder that all a pattern matches is in.
func baseOf(glob string) string {
	base, parts := ".", strings.Split(glob, "/")
	for i, part := range parts[:len(parts)-1] {
		if strings.ContainsAny(part, "*?[{") {
			break
		}
		base = path.Join(parts[:i+1]...)
	}
	return base
}

// classOf writes a class such as [a-z] or [!0-9] as an expression has it, and
// says how long it is in the pattern; 0 where it is none.
func classOf(rest string) (class string, length int) {
	end := strings.IndexByte(rest, ']')
	if end < 2 {
		return "", 0
	}
	body, not := rest[1:end], ""
	if body[0] == '!' || body[0] == '^' {
		body, not = body[1:], "^/"
	}
	if body == "" {
		return "", 0
	}
	return "[" + not + strings.NewReplacer(`\`, `\\`, `[`, `\[`, `^`, `\^`).Replace(body) + "]", end + 1
}
