package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

var placeholderName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// outputKeys and parameterNames say under which other names the run holds
// the value of a placeholder, best first.
var (
	outputKeys     = map[string][]string{"version": {"new_version", "version"}, "tag": {"tag_name", "tag"}, "type": {"change_type"}}
	parameterNames = map[string][]string{"type": {"change_type"}}
)

// placeholders finds the values of a template's placeholders: the step's own
// values, then the nearest upstream outputs, then the parameters.
type placeholders struct {
	step   *pluginsdk.Step
	values map[string]string
}

// expand fills in a template. The pointer names the template in the config.
// "{{" and "}}" stand for braces.
func (p placeholders) expand(pointer, template string) (string, error) {
	text, missing, err := p.fill(pointer, template)
	if err != nil {
		return "", err
	}
	if len(missing) > 0 {
		return "", pluginsdk.Invalid(pointer, fmt.Sprintf(
			"the placeholder {%s} has no value: set it under values, give the parameter, or put a step before this one that outputs it", missing[0]))
	}
	return text, nil
}

// preview fills in what is known before a run and leaves the rest as it is.
func (p placeholders) preview(pointer, template string) (text string, known bool, err error) {
	text, missing, err := p.fill(pointer, template)
	return text, len(missing) == 0, err
}

func (p placeholders) fill(pointer, template string) (text string, missing []string, err error) {
	var out strings.Builder
	for rest := template; rest != ""; {
		at := strings.IndexAny(rest, "{}")
		if at < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:at])
		rest = rest[at:]
		if strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}") {
			out.WriteByte(rest[0])
			rest = rest[2:]
			continue
		}
		name, after, closed := strings.Cut(rest[1:], "}")
		if rest[0] == '}' || !closed || !placeholderName.MatchString(name) {
			return "", nil, pluginsdk.Invalid(pointer, fmt.Sprintf(
				"the template %q has a brace that belongs to no placeholder; write {name}, or {{ and }} for braces", template))
		}
		value := p.value(name)
		if value == "" {
			missing = append(missing, name)
			value = "{" + name + "}"
		}
		out.WriteString(value)
		rest = after
	}
	return out.String(), missing, nil
}

// value returns "" where nothing holds a value for the name.
func (p placeholders) value(name string) string {
	keys, parameters := outputKeys[name], parameterNames[name]
	if keys == nil {
		keys = []string{name}
	}
	if parameters == nil {
		parameters = []string{name}
	}
	return p.step.Value(name, p.values, keys, parameters)
}
