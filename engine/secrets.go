package engine

import (
	"context"
	"slices"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// CodeSecretNotFound is the code of a step that refers to a secret that
// nobody has set.
const CodeSecretNotFound = "SECRET_NOT_FOUND"

// HiddenValue stands for the value of a secret parameter wherever parameters
// are kept or shown.
const HiddenValue = "***"

// Secrets keeps the values that executions may use and nobody may see. A
// runtime never sees those of stored secrets: it puts placeholders into a
// config and names them in the request's Secrets, and its Invoker puts the
// values in for them.
//
// The life of an execution's secrets:
//  1. Seal turns the values of its secret parameters into what the journal
//     may keep.
//  2. Enter says, before the first call, what the execution refers to.
//  3. Leave forgets it, once nothing of it runs any more.
type Secrets interface {
	// Known reports whether there is a stored secret of that name.
	Known(ctx context.Context, name string) (bool, error)
	// Seal encrypts values by their names.
	Seal(ctx context.Context, values map[string]string) ([]byte, error)
	// Unseal gives back what Seal was given.
	Unseal(ctx context.Context, sealed []byte) (map[string]string, error)
	// Enter makes known which stored secrets an execution refers to, and
	// its sealed parameters, nil for none. What its calls say is searched
	// for all of them.
	Enter(executionID string, names []string, sealed []byte)
	Leave(executionID string)
}

// ParameterSecret is the name of a secret parameter in a request's Secrets;
// stored secrets stand there by their own names, which have no dot.
func ParameterSecret(parameter string) string { return workflow.RootParameters + "." + parameter }

// SealedParameters returns the encrypted values of an execution's secret
// parameters, nil where it has none. They belong to the first event.
func SealedParameters(events []plan.Event) []byte {
	if len(events) == 0 || events[0].Private == nil {
		return nil
	}
	return events[0].Private.Sealed
}

// usesSecret reports whether a step's config refers to a stored secret or to
// a secret parameter.
func usesSecret(definition *workflow.Definition, node *workflow.Node) bool {
	parameters := definition.SecretParameters()
	return slices.ContainsFunc(node.Config.References(), func(reference workflow.Reference) bool {
		return reference.Root == workflow.RootSecrets ||
			(reference.Root == workflow.RootParameters && slices.Contains(parameters, reference.Name()))
	})
}
