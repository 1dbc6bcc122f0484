package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Secrets looks up secrets by name. Whoever needs the value of one, such as
// the check of a webhook's signature, asks for this and nothing more.
type Secrets interface {
	// Secret is an engine.ErrNotFound for a name that nobody has set.
	Secret(ctx context.Context, name string) (Value, error)
}

// Sealer encrypts what must outlive the process, with a key that is not kept
// beside it. What it is for must be told again to open it.
type Sealer interface {
	Seal(ctx context.Context, what string, text []byte) ([]byte, error)
	// Open is an ErrSealed for what was not sealed for that.
	Open(ctx context.Context, what string, sealed []byte) ([]byte, error)
}

// What is sealed by a Keeper and an Invoker.
const (
	sealedParameters = "parameters of an execution"
	sealedToken      = "undo token"
	sealedCheckpoint = "checkpoint"
)

// maxRecent bounds the values that Scrub looks for.
const maxRecent = 256

// Options of a Keeper; all but Logger are required.
type Options struct {
	Secrets Secrets
	Sealer  Sealer
	// Logger is told why secrets can't be read; steps only say that.
	Logger *slog.Logger
}

// Keeper implements engine.Secrets, and knows what each execution that runs
// may have seen. Its methods may be called from several goroutines at once.
type Keeper struct {
	secrets Secrets
	sealer  Sealer
	log     *slog.Logger

	mu         sync.Mutex
	executions map[string]*seen
	// recent are values that any execution was given, the oldest first.
	recent []string

	recentScrubber atomic.Pointer[Scrubber]
}

var _ engine.Secrets = (*Keeper)(nil)

// NewKeeper returns a Keeper that nothing runs in yet.
func NewKeeper(options Options) *Keeper {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Keeper{secrets: options.Secrets, sealer: options.Sealer, log: options.Logger, executions: map[string]*seen{}}
}

// seen is what one execution refers to, and every value that it may have
// seen: a secret that is changed meanwhile has several.
type seen struct {
	names  []string
	sealed []byte

	mu sync.Mutex
	// parameters are opened at the first call.
	parameters map[string]string
	values     []string

	scrubber atomic.Pointer[Scrubber]
}

// Known implements engine.Secrets.
func (k *Keeper) Known(ctx context.Context, name string) (bool, error) {
	_, err := k.secrets.Secret(ctx, name)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Seal implements engine.Secrets.
func (k *Keeper) Seal(ctx context.Context, values map[string]string) ([]byte, error) {
	text, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("write secret parameters: %w", err)
	}
	return k.sealer.Seal(ctx, sealedParameters, text)
}

// Unseal implements engine.Secrets.
func (k *Keeper) Unseal(ctx context.Context, sealed []byte) (map[string]string, error) {
	text, err := k.sealer.Open(ctx, sealedParameters, sealed)
	if err != nil {
		return nil, fmt.Errorf("open the secret parameters: %w", err)
	}
	var values map[string]string
	if json.Unmarshal(text, &values) != nil {
		// The decoder's own words may repeat a value.
		return nil, errors.New("open the secret parameters: they can't be read")
	}
	return values, nil
}

// Enter implements engine.Secrets.
func (k *Keeper) Enter(executionID string, names []string, sealed []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.executions[executionID] = &seen{names: names, sealed: sealed}
}

// Leave implements engine.Secrets.
func (k *Keeper) Leave(executionID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.executions, executionID)
}

// Scrub hides in a text the values that executions were given last. It is for
// what belongs to no execution, such as a plugin's standard error.
func (k *Keeper) Scrub(text string) string { return k.recentScrubber.Load().Text(text) }

// lookUp returns the values of what a request names, and what its call may
// have seen, nil where it is of no secrets. A secret that only other steps
// need may be missing.
func (k *Keeper) lookUp(ctx context.Context, request *pluginsdk.Request) (map[string]string, *seen, error) {
	k.mu.Lock()
	execution := k.executions[request.ExecutionID]
	k.mu.Unlock()
	if execution == nil {
		if len(request.Secrets) == 0 {
			return nil, nil, nil
		}
		execution = &seen{}
	}
	execution.mu.Lock()
	defer execution.mu.Unlock()
	values, err := k.parameters(ctx, execution)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range execution.names {
		if err := k.read(ctx, name, values); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return nil, nil, err
		}
	}
	for name := range request.Secrets {
		if _, found := values[name]; found {
			continue
		}
		if err := k.read(ctx, name, values); errors.Is(err, engine.ErrNotFound) {
			return nil, nil, &missingError{name}
		} else if err != nil {
			return nil, nil, err
		}
	}
	k.note(execution, values)
	return values, execution, nil
}

// parameters returns the secret parameters by their names in a request.
func (k *Keeper) parameters(ctx context.Context, execution *seen) (map[string]string, error) {
	if execution.parameters == nil && execution.sealed != nil {
		parameters, err := k.Unseal(ctx, execution.sealed)
		if err != nil {
			return nil, err
		}
		execution.parameters = parameters
	}
	values := make(map[string]string, len(execution.parameters)+len(execution.names))
	for name, text := range execution.parameters {
		values[engine.ParameterSecret(name)] = text
	}
	return values, nil
}

// read adds the value of one stored secret; it is an engine.ErrNotFound where
// nobody has set it.
func (k *Keeper) read(ctx context.Context, name string, values map[string]string) error {
	value, err := k.secrets.Secret(ctx, name)
	if err != nil {
		return fmt.Errorf("read the secret %q: %w", name, err)
	}
	values[name] = value.Reveal()
	return nil
}

// note makes values known to the scrubbers.
func (k *Keeper) note(execution *seen, values map[string]string) {
	var fresh []string
	for _, value := range values {
		if !slices.Contains(execution.values, value) {
			fresh = append(fresh, value)
		}
	}
	if len(fresh) == 0 {
		return
	}
	execution.values = append(execution.values, fresh...)
	execution.scrubber.Store(NewScrubber(execution.values))
	k.mu.Lock()
	defer k.mu.Unlock()
	known := len(k.recent)
	for _, value := range fresh {
		if !slices.Contains(k.recent, value) {
			k.recent = append(k.recent, value)
		}
	}
	if len(k.recent) == known {
		return
	}
	if over := len(k.recent) - maxRecent; over > 0 {
		k.recent = slices.Delete(k.recent, 0, over)
	}
	k.recentScrubber.Store(NewScrubber(k.recent))
}

// missingError names a secret that a call needs and nobody has set.
type missingError struct{ name string }

func (e *missingError) Error() string {
	if parameter, found := strings.CutPrefix(e.name, engine.ParameterSecret("")); found {
		return fmt.Sprintf("the value of the secret parameter %q is not there any more", parameter)
	}
	return fmt.Sprintf("there is no secret %q; set it with \"vwmp secret set %s\"", e.name, e.name)
}
