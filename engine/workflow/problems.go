package workflow

import (
	"cmp"
	"fmt"
	"slices"

	"golang.org/x/text/unicode/norm"

	"github.com/vwmp/vwmp/pluginsdk"
)

// Problems is a list of things to put right, as data.
type Problems []pluginsdk.Problem

// HasErrors reports whether any problem blocks.
func (p Problems) HasErrors() bool {
	return slices.ContainsFunc(p, isError)
}

// Errors returns the problems that block.
func (p Problems) Errors() Problems {
	var errors Problems
	for _, problem := range p {
		if isError(problem) {
			errors = append(errors, problem)
		}
	}
	return errors
}

// Warnings returns the problems that don't block.
func (p Problems) Warnings() Problems {
	var warnings Problems
	for _, problem := range p {
		if !isError(problem) {
			warnings = append(warnings, problem)
		}
	}
	return warnings
}

func isError(problem pluginsdk.Problem) bool {
	return problem.Severity != pluginsdk.SeverityWarning
}

// Sort orders by place in the text, then by pointer, and drops repeats. It
// returns at most MaxProblems, with a last one that tells how many more
// there are.
func (p Problems) Sort() Problems {
	slices.SortStableFunc(p, func(a, b pluginsdk.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	p = slices.Compact(p)
	if len(p) <= MaxProblems {
		return p
	}
	// An error must not be lost behind a thousand warnings.
	p = append(p.Errors(), p.Warnings()...)
	severity, more := p[MaxProblems].Severity, len(p)-MaxProblems
	return append(p[:MaxProblems:MaxProblems], pluginsdk.Problem{
		Severity: severity, Code: "too_many_problems",
		Message: fmt.Sprintf("There are %d further problems; put these right first.", more),
	})
}

func newProblem(pointer, stepID, code, format string, args ...any) pluginsdk.Problem {
	return pluginsdk.Problem{
		Severity: pluginsdk.SeverityError, Pointer: pointer, StepID: stepID, Code: code,
		Message: fmt.Sprintf(format, args...),
	}
}

// NameKey returns the form under which two names are the same: composed
// characters and decomposed ones (NFC and NFD twins) look alike, and so must
// not name two workflows.
func NameKey(name string) string { return norm.NFC.String(name) }
