package pluginsdk

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Duration is a span of time in a config: in JSON a number of seconds, or a
// Go duration string such as "50ms" or "2h". Its schema has the format
// "vwmp-duration".
type Duration time.Duration

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// MarshalJSON writes the number of seconds.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).Seconds())
}

// UnmarshalJSON reads a number of seconds or a Go duration string.
func (d *Duration) UnmarshalJSON(data []byte) error {
	parsed, err := ParseDurationJSON(data)
	if err != nil {
		return err
	}
	*d = Duration(parsed)
	return nil
}

// ParseDurationJSON reads a JSON number of seconds or a JSON string in Go's
// duration notation. Negative spans and spans over 292 years are refused.
func ParseDurationJSON(data []byte) (time.Duration, error) {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err == nil {
		if seconds < 0 || math.IsNaN(seconds) || seconds >= math.MaxInt64/float64(time.Second) {
			return 0, fmt.Errorf("a duration must be a number of seconds from 0 up, got %s", data)
		}
		return time.Duration(seconds * float64(time.Second)), nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return 0, fmt.Errorf(`a duration must be a number of seconds or text such as "50ms" or "2h", got %s`, data)
	}
	return ParseDuration(text)
}

// ParseDuration reads a Go duration string, refusing a negative one.
func ParseDuration(text string) (time.Duration, error) {
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return 0, fmt.Errorf(`a duration must be a number of seconds or text such as "50ms" or "2h", got %q`, text)
	}
	return parsed, nil
}
