// Command vwmp-plugin-ledger is a plugin whose steps do one thing: they enter
// themselves in a file, durably. Tests that kill the host compare that file
// with the journal. It is not a bundled plugin.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

type config struct {
	File string `json:"file" title:"File" description:"The ledger, an absolute path" required:"true"`
	Wait int    `json:"wait" title:"Wait" description:"The longest wait before and after the entry, in milliseconds" default:"10"`
	// FailFirst makes the first attempt fail, before it enters anything.
	FailFirst bool `json:"fail_first" title:"Fail first" description:"Fail the first attempt" default:"false"`
	// Gate makes the step enter its begin and its end instead of once, and
	// stay in between until there is such a file.
	Gate string `json:"gate" title:"Gate" description:"A file that must be there before the step ends, an absolute path"`
	// Keep makes the undo of the step refuse.
	Keep bool `json:"keep" title:"Keep" description:"Refuse to undo the step" default:"false"`
}

// entry is one line of the ledger.
type entry struct {
	Key     string    `json:"key"`
	Attempt int       `json:"attempt"`
	Time    time.Time `json:"time"`
	// Mark is "begin" or "end" in a step with a gate, "undo" where an entry is
	// taken back, and empty otherwise.
	Mark string `json:"mark,omitempty"`
}

type output struct {
	Key string `json:"key"`
}

// keeper enters a step in the ledger.
type keeper struct{}

func (keeper) Execute(ctx context.Context, step *pluginsdk.Step, c config) (output, error) {
	step.Log.Info("about to enter", "attempt", step.Attempt())
	if c.Gate != "" {
		return passGate(ctx, step, c)
	}
	if err := pause(ctx, c.Wait); err != nil {
		return output{}, err
	}
	if c.FailFirst && step.Attempt() == 1 {
		return output{}, pluginsdk.Retryable(errors.New("the first attempt fails"))
	}
	if err := enter(c.File, entry{Key: step.IdempotencyKey(), Attempt: step.Attempt(), Time: time.Now()}); err != nil {
		return output{}, err
	}
	// It is done: a cancel comes too late.
	_ = pause(ctx, c.Wait)
	return output{step.IdempotencyKey()}, nil
}

// passGate enters the begin, waits at the gate and a random time, and enters
// the end.
func passGate(ctx context.Context, step *pluginsdk.Step, c config) (output, error) {
	mark := func(name string) error {
		return enter(c.File, entry{Key: step.IdempotencyKey(), Attempt: step.Attempt(), Time: time.Now(), Mark: name})
	}
	if err := mark("begin"); err != nil {
		return output{}, err
	}
	for {
		if err := pause(ctx, c.Wait); err != nil {
			return output{}, err
		}
		if _, err := os.Stat(c.Gate); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return output{}, fmt.Errorf("look at the gate: %w", err)
		}
	}
	return output{step.IdempotencyKey()}, mark("end")
}

// reconciler is a keeper that can say whether it was there.
type reconciler struct{ keeper }

func (reconciler) Reconcile(_ context.Context, step *pluginsdk.Step, c config) (pluginsdk.Reconciliation[output], error) {
	found, err := entered(c.File, step.IdempotencyKey(), "")
	if err != nil || !found {
		return pluginsdk.Reconciliation[output]{Status: pluginsdk.ReconcileNotStarted, Detail: "it is not in the ledger"}, err
	}
	return pluginsdk.Reconciliation[output]{
		Status: pluginsdk.ReconcileDone, Output: output{step.IdempotencyKey()}, Detail: "it is in the ledger",
	}, nil
}

// reversible is a keeper whose entry can be taken back, by an entry that says
// so.
type reversible struct{ keeper }

// undoToken is all that Undo needs.
type undoToken struct {
	config
	Key string `json:"key"`
}

func (r reversible) Execute(ctx context.Context, step *pluginsdk.Step, c config) (output, error) {
	done, err := r.keeper.Execute(ctx, step, c)
	if err != nil {
		return done, err
	}
	return done, step.SetUndo(undoToken{c, done.Key})
}

func (reversible) Undo(ctx context.Context, step *pluginsdk.Step, raw json.RawMessage) error {
	var token undoToken
	if err := json.Unmarshal(raw, &token); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	step.Log.Info("about to take back", "key", token.Key)
	if err := pause(ctx, token.Wait); err != nil {
		return err
	}
	if token.Keep {
		return pluginsdk.Errorf("the entry %s is to be kept", token.Key)
	}
	found, err := entered(token.File, token.Key, "undo")
	if err != nil {
		return err
	}
	if !found {
		if err := enter(token.File, entry{Key: token.Key, Attempt: step.Attempt(), Time: time.Now(), Mark: "undo"}); err != nil {
			return err
		}
	}
	_ = pause(ctx, token.Wait)
	return nil
}

// pause waits a random part of the time, unless ctx ends before.
func pause(ctx context.Context, milliseconds int) error {
	timer := time.NewTimer(time.Duration(rand.IntN(1000*milliseconds+1)) * time.Microsecond) //nolint:gosec // Chance is all that is wanted.
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func enter(path string, e entry) (err error) {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return file.Sync()
}

// entered reports whether the ledger has an entry with a mark.
func entered(path, key, mark string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the ledger: %w", err)
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if !bytes.Contains(lines.Bytes(), []byte(key)) {
			continue // Most lines are another step's, and a soak has many.
		}
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Key == key && e.Mark == mark {
			return true, nil
		}
	}
	return false, nil
}

func main() {
	info := func(name string, class pluginsdk.EffectClass) pluginsdk.HandlerInfo {
		return pluginsdk.HandlerInfo{
			Path: "ledger." + name, Name: "Enter", Description: "Enters the step in the ledger", Category: "tests", Effect: class,
		}
	}
	handlers := []*pluginsdk.Handler{
		pluginsdk.NewHandler(info("reconcilable", pluginsdk.EffectReconcilable), pluginsdk.Executor[config, output](reconciler{})),
		pluginsdk.NewHandler(info("reversible", pluginsdk.EffectIdempotent), pluginsdk.Executor[config, output](reversible{})),
	}
	for _, class := range []pluginsdk.EffectClass{
		pluginsdk.EffectPure, pluginsdk.EffectIdempotent, pluginsdk.EffectKeyed, pluginsdk.EffectUnsafe,
	} {
		handlers = append(handlers, pluginsdk.NewHandler(info(string(class), class), pluginsdk.Executor[config, output](keeper{})))
	}
	serve.Main(&pluginsdk.Plugin{Name: "ledger", Version: "1.0.0", Description: "Enters its steps in a file", Handlers: handlers})
}
