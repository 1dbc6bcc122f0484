package live

import (
	"fmt"
	"runtime/debug"
)

// Apart runs fn in a goroutine of its own and waits for it; a panic of fn is
// one of the caller. It is for what a reader does before it waits for hours: a
// goroutine keeps the stack that it once needed, and thousands of readers each
// keep 8 KB of it.
func Apart(fn func() error) error {
	var err error
	var cause any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				cause = fmt.Sprintf("%v\n%s", r, debug.Stack())
			}
		}()
		err = fn()
	}()
	<-done
	if cause != nil {
		panic(cause)
	}
	return err
}
