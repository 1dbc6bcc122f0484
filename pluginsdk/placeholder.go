package pluginsdk

import "encoding/json"

// Value finds what a placeholder such as {version} stands for: the first text
// that is not empty of values[name], the upstream outputs and the parameters.
// The values are the step's own, from its config, and may be nil.
//
// outputKeys and parameterNames say under which names the run may hold the
// value, best first: a later key counts only where no output at all has the
// one before it; under one key the nearest step counts. A nil list is not
// looked in.
//
// Strings and numbers count, numbers as they were written. Anything else
// under such a name is not what the placeholder means, and is passed over.
// Value returns "" where nothing holds a value.
func (s *Step) Value(name string, values map[string]string, outputKeys, parameterNames []string) string {
	if value := values[name]; value != "" {
		return value
	}
	for _, key := range outputKeys {
		for _, output := range s.request.Outputs {
			if value := textUnder(output.Output, key); value != "" {
				return value
			}
		}
	}
	for _, parameter := range parameterNames {
		if value := textUnder(s.request.Parameters, parameter); value != "" {
			return value
		}
	}
	return ""
}

// textUnder returns the string or number under key of a JSON object, "" for
// anything else.
func textUnder(object json.RawMessage, key string) string {
	var raw json.RawMessage
	if found, err := lookup(object, key, &raw); err != nil || !found {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String()
	}
	return ""
}
