// Package secret keeps the values of secrets out of everything that is kept
// or shown.
//
// It holds a type for such a value, the key that seals one, the search for a
// value in text and JSON, and the Keeper and the Invoker that use them for an
// engine. It stores nothing and reads no file: where secrets come from, and
// where the key is, are matters of whoever hands it a Source and a Sealer.
//
// The way of a secret:
//  1. The engine resolves a step's config with a random placeholder for each
//     secret, made for that one attempt.
//  2. The Invoker puts the value in for the placeholder, just before the
//     call. What was put in is never read for references again.
//  3. Everything that the call says is searched, on its way back, for each
//     value that the execution may have seen, plain, in base64 and
//     URL-encoded, before anything is written, published or logged.
package secret

import (
	"fmt"
	"log/slog"
)

// Mask stands wherever a secret would.
const Mask = "***"

// Value is a secret's text. Whatever prints, formats, logs or marshals it
// shows Mask; only Reveal gives the text.
type Value struct {
	// A pointer, because fmt prints the fields of a struct around it without
	// asking its methods where they are not exported.
	text *string
}

// NewValue hides a text.
func NewValue(text string) Value { return Value{&text} }

// Reveal returns the text itself.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// String returns Mask.
func (Value) String() string { return Mask }

// Format writes Mask, whatever the verb.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mask)) }

// MarshalJSON writes Mask as a string.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }

// MarshalText writes Mask.
func (Value) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// LogValue implements slog.LogValuer.
func (Value) LogValue() slog.Value { return slog.StringValue(Mask) }
