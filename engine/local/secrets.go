package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
)

// bindParameters checks what an execution is given and completes it. What is
// returned may be kept and shown; the values of secret ones are in sealed,
// nil where there are none.
func (r *Runtime) bindParameters(ctx context.Context, definition *workflow.Definition, request engine.StartRequest) (shown json.RawMessage, sealed []byte, problems workflow.Problems, err error) {
	given, err := r.restoreParameters(ctx, definition, request)
	if err != nil {
		return nil, nil, nil, err
	}
	bound, problems := workflow.BindParameters(definition, given)
	if problems.HasErrors() {
		return nil, nil, problems, nil
	}
	shown, sealed, err = r.sealParameters(ctx, definition, bound)
	return shown, sealed, problems, err
}

// sealParameters takes the values of secret parameters out of what is kept
// and shown. sealed is nil where there are none.
func (r *Runtime) sealParameters(ctx context.Context, definition *workflow.Definition, parameters json.RawMessage) (shown json.RawMessage, sealed []byte, err error) {
	values := map[string]string{}
	shown, err = workflow.MapSecrets(definition, parameters, func(name, text string) string {
		values[name] = text
		return engine.HiddenValue
	})
	if err != nil || len(values) == 0 {
		return shown, nil, err
	}
	if r.options.Secrets == nil {
		return nil, nil, errors.New("keep the secret parameters: this engine was set up without secrets")
	}
	if sealed, err = r.options.Secrets.Seal(ctx, values); err != nil {
		return nil, nil, fmt.Errorf("keep the secret parameters: %w", err)
	}
	return shown, sealed, nil
}

// restoreParameters puts back the values that an earlier execution sealed,
// where the parameters only have what is shown of them.
func (r *Runtime) restoreParameters(ctx context.Context, definition *workflow.Definition, request engine.StartRequest) (json.RawMessage, error) {
	if len(request.Sealed) == 0 || r.options.Secrets == nil {
		return request.Parameters, nil
	}
	values, err := r.options.Secrets.Unseal(ctx, request.Sealed)
	if err != nil {
		return nil, err
	}
	return workflow.MapSecrets(definition, request.Parameters, func(name, text string) string {
		if kept, found := values[name]; found && text == engine.HiddenValue {
			return kept
		}
		return text
	})
}

// enterSecrets makes known what the execution refers to; leaveSecrets forgets
// it. Without secrets both cost nothing.
func (e *execution) enterSecrets(sealed []byte) {
	names := e.graph.Secrets()
	if e.r.options.Secrets == nil || (len(names) == 0 && sealed == nil) {
		return
	}
	e.secretive = true
	e.r.options.Secrets.Enter(e.id, names, sealed)
}

func (e *execution) leaveSecrets() {
	if e.secretive {
		e.r.options.Secrets.Leave(e.id)
	}
}

// conceal lets a scope give placeholders for secrets, made for this attempt
// alone so that no data can contain one, and returns them by the secrets'
// names. A built-in handler, which shows its config, is given the mask.
func (e *execution) conceal(node *workflow.Node, scope *workflow.Scope) (map[string]string, error) {
	if !e.secretive {
		return nil, nil
	}
	if builtIn(node) {
		scope.Secret = func(name string) (string, error) { return engine.HiddenValue, e.missingSecret(name) }
		return nil, nil
	}
	placeholders := map[string]string{}
	placeholder := func(name string) string {
		if placeholders[name] == "" {
			placeholders[name] = "vwmp-secret-" + rand.Text()
		}
		return placeholders[name]
	}
	scope.Secret = func(name string) (string, error) { return placeholder(name), e.missingSecret(name) }
	var err error
	scope.Parameters, err = workflow.MapSecrets(e.graph.Definition(), scope.Parameters, func(name, _ string) string {
		return placeholder(engine.ParameterSecret(name))
	})
	return placeholders, err
}

// missingSecret is an error where there is no stored secret of that name. Why
// it can't be told is told by the call.
func (e *execution) missingSecret(name string) error {
	known, err := e.r.options.Secrets.Known(context.Background(), name)
	if err == nil && !known {
		return fmt.Errorf("there is no secret %q; set it with \"vwmp secret set %s\"", name, name)
	}
	return nil
}

// dropUnused forgets the placeholders that a config does not hold.
func dropUnused(placeholders map[string]string, config json.RawMessage) {
	maps.DeleteFunc(placeholders, func(_, placeholder string) bool { return !bytes.Contains(config, []byte(placeholder)) })
}

// referenceCode is the code of a reference that leads to nothing.
func referenceCode(err error) string {
	var reference *workflow.ReferenceError
	if errors.As(err, &reference) && reference.Root == workflow.RootSecrets {
		return engine.CodeSecretNotFound
	}
	return "REFERENCE_ERROR"
}
