package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNoPlugin: there is no plugin of that name.
var ErrNoPlugin = errors.New("there is no plugin of this name")

// RefusedError: the plugin's file may not be one.
type RefusedError struct{ Name, Reason string }

// Error gives the reason.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the file of plugin %s is refused: %s", e.Name, e.Reason)
}

// HeldError: a version is there and not used, since it would break stored
// workflows or has crashed too often.
type HeldError struct {
	Name string
	Held
}

// Error says which version, and why.
func (e *HeldError) Error() string {
	if e.Reason == HeldRemoved || e.Reason == HeldBroken {
		return fmt.Sprintf("plugin %s stays as it was: %s", e.Name, e.Message)
	}
	return fmt.Sprintf("version %s of plugin %s is held back: %s", e.Version, e.Name, e.Message)
}

// Disable keeps a plugin from being called, at later starts too, until Enable.
// The calls that run go on to their ends; steps that come wait. by names who
// wishes it.
func (h *Host) Disable(ctx context.Context, name, by string) error {
	return h.change(ctx, name, func(ctx context.Context, k *keeper, p *plugin) error {
		if p.record.Disabled != nil {
			return nil
		}
		p.record.Disabled = &disabled{By: by, At: time.Now().UTC()}
		if err := k.keepRecord(ctx, p); err != nil {
			p.record.Disabled = nil
			return err
		}
		k.renew(p)
		k.publish()
		return nil
	})
}

// Enable lets a plugin be called again, and ends the rest of one that crashed
// too often.
func (h *Host) Enable(ctx context.Context, name string) error {
	return h.change(ctx, name, func(ctx context.Context, k *keeper, p *plugin) error {
		before := p.record.Disabled
		if before == nil && p.current.snapshot().State != stateQuarantined {
			return nil
		}
		p.record.Disabled = nil
		if before != nil {
			if err := k.keepRecord(ctx, p); err != nil {
				p.record.Disabled = before
				return err
			}
		}
		k.renew(p)
		k.publish()
		return nil
	})
}

// Reload looks at a plugin's file anew, and gives its next call a process of
// its own. A version that is held back is a *HeldError, and taken up where
// force is set.
func (h *Host) Reload(ctx context.Context, name string, force bool) error {
	return h.ask(ctx, func(ctx context.Context, k *keeper) error {
		forced := ""
		if force {
			forced = name
		}
		before := k.plugins[name]
		var instance *instance
		if before != nil {
			instance = before.current
		}
		k.scan(ctx, forced)
		p := k.plugins[name]
		switch {
		case p == nil && before != nil:
			return nil // It is gone, and may be.
		case p == nil:
			return k.missing(name)
		case p.held != nil:
			return &HeldError{name, *p.held}
		case p.current == instance:
			k.renew(p)
			k.publish()
		}
		return nil
	})
}

// change has the keeper do something about one plugin.
func (h *Host) change(ctx context.Context, name string, do func(ctx context.Context, k *keeper, p *plugin) error) error {
	return h.ask(ctx, func(ctx context.Context, k *keeper) error {
		p := k.plugins[name]
		if p == nil {
			return k.missing(name)
		}
		return do(ctx, k, p)
	})
}

func (k *keeper) missing(name string) error {
	for _, status := range k.refused {
		if status.Name == name {
			return &RefusedError{name, status.Reason}
		}
	}
	return fmt.Errorf("%w: %q", ErrNoPlugin, name)
}
