package secret

import (
	"bytes"
	"encoding/json"
)

// JSON returns data with Mask for each value in its strings and keys, and a
// Mask as a string for a number that shows one. Everything else, the order of
// keys and the form of numbers included, stays as it is. Data that is not
// JSON is treated as text and becomes a string where it shows a value.
func (s *Scrubber) JSON(data json.RawMessage) json.RawMessage {
	if s == nil || !s.suspects(data) {
		return data
	}
	if !json.Valid(data) {
		text := s.Text(string(data))
		if text == string(data) {
			return data
		}
		return quote(text)
	}
	scrubbed := make([]byte, 0, len(data))
	changed := false
	for at := 0; at < len(data); {
		end := tokenEnd(data, at)
		token := data[at:end]
		replaced, hit := s.token(token)
		scrubbed = append(scrubbed, replaced...)
		changed = changed || hit
		at = end
	}
	if !changed {
		return data
	}
	return scrubbed
}

// Finds reports whether JSON would change the data.
func (s *Scrubber) Finds(data json.RawMessage) bool {
	return s != nil && !bytes.Equal(s.JSON(data), data)
}

// suspects is a quick look: false is sure, true is not.
func (s *Scrubber) suspects(data []byte) bool {
	if len(s.whole) > 0 || bytes.IndexByte(data, '\\') >= 0 || bytes.IndexByte(data, '%') >= 0 || (s.spaced && bytes.IndexByte(data, '+') >= 0) {
		return true
	}
	for _, form := range s.forms {
		if bytes.Contains(data, []byte(form)) {
			return true
		}
	}
	return false
}

// token scrubs one string or number.
func (s *Scrubber) token(token []byte) (replaced []byte, changed bool) {
	switch {
	case token[0] == '"':
		text := string(token[1 : len(token)-1])
		if bytes.IndexByte(token, '\\') >= 0 && json.Unmarshal(token, &text) != nil {
			return token, false
		}
		scrubbed := s.Text(text)
		if scrubbed == text {
			return token, false
		}
		return quote(scrubbed), true
	case beginsNumber(token[0]):
		if text := string(token); !s.whole[text] && s.Text(text) != text {
			return quote(Mask), true
		}
	}
	return token, false
}

// tokenEnd returns where the string, the number or the single byte at a place
// ends.
func tokenEnd(data []byte, at int) int {
	end := at + 1
	switch {
	case data[at] == '"':
		for end < len(data) && data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		return min(end+1, len(data))
	case beginsNumber(data[at]):
		for end < len(data) && inNumber(data[end]) {
			end++
		}
	}
	return end
}

func beginsNumber(c byte) bool { return c >= '0' && c <= '9' || c == '-' }

func inNumber(c byte) bool {
	return beginsNumber(c) || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func quote(text string) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	// A string can always be written.
	_ = encoder.Encode(text)
	return bytes.TrimRight(buffer.Bytes(), "\n")
}
