package secret

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

const (
	// minPart is the length, in bytes, below which a value is hidden only
	// where it is the whole of a text: two letters stand in every sentence.
	minPart = 4
	// minInner is the least length of the part of a base64 text that a value
	// makes within a longer one: shorter ones stand in others by chance.
	minInner = 8
	// minLine is the least length of one line of a value of several, which
	// logs show line by line.
	minLine = 8
)

// Scrubber hides some values in text and JSON. A nil one hides nothing. It is
// immutable and safe for concurrent use.
type Scrubber struct {
	// exact are the values and their lines; they are looked for in text as
	// it stands and in what it is without URL encoding.
	exact []string
	// forms are exact and the other ways to write a value.
	forms []string
	// whole are the values that are hidden only as a whole text.
	whole map[string]bool
	// spaced: a value has a space, which URLs write as a plus sign.
	spaced bool
}

// NewScrubber hides the values; it is nil where there is none.
func NewScrubber(values []string) *Scrubber {
	s := &Scrubber{whole: map[string]bool{}}
	for _, value := range values {
		s.add(value)
	}
	if len(s.forms) == 0 && len(s.whole) == 0 {
		return nil
	}
	for _, list := range []*[]string{&s.exact, &s.forms} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return s
}

func (s *Scrubber) add(value string) {
	if value == "" {
		return
	}
	if len(value) < minPart {
		s.whole[value] = true
		for _, form := range base64Whole(value) {
			s.whole[form] = true
		}
		return
	}
	s.exact = append(s.exact, value)
	if trimmed := strings.TrimSpace(value); len(trimmed) >= minPart {
		s.exact = append(s.exact, trimmed)
	}
	if strings.ContainsAny(value, "\r\n") {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= minLine {
				s.exact = append(s.exact, line)
			}
		}
	}
	s.spaced = s.spaced || strings.Contains(value, " ")
	s.forms = append(s.forms, s.exact...)
	s.forms = append(s.forms, jsonForms(value)...)
	s.forms = append(s.forms, base64Whole(value)...)
	s.forms = append(s.forms, base64Inner(value)...)
}

// jsonForms are how a value stands within JSON that is quoted in a text.
func jsonForms(value string) []string {
	var forms []string
	for _, escapeHTML := range []bool{false, true} {
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(escapeHTML)
		if encoder.Encode(value) == nil {
			quoted := strings.TrimSuffix(text.String(), "\n")
			forms = append(forms, quoted[1:len(quoted)-1])
		}
	}
	return slices.DeleteFunc(forms, func(form string) bool { return len(form) < minPart })
}

// base64Whole are the base64 texts of the value alone.
func base64Whole(value string) []string {
	var forms []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(value)))
	}
	return forms
}

// base64Inner are what the value makes of a base64 text that it stands in,
// for each of its three places within a group of three bytes, and the pieces
// of a text that is broken into lines.
func base64Inner(value string) []string {
	var forms []string
	for before := range 3 {
		padded := append(make([]byte, before), value...)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(padded)
			// What follows changes the last character that is not full, what
			// stands before changes the first ones.
			inner := text[(before*8+5)/6 : len(padded)*8/6]
			if len(inner) >= minInner {
				forms = append(forms, inner)
			}
			for _, width := range []int{64, 76} {
				for rest := text; before == 0 && len(text) > width && len(rest) >= minInner; rest = rest[min(width, len(rest)):] {
					forms = append(forms, rest[:min(width, len(rest))])
				}
			}
		}
	}
	return forms
}

// span is a part of a text, from a byte up to another.
type span struct{ from, to int }

// Text returns text with Mask for each value in it.
func (s *Scrubber) Text(text string) string {
	if s == nil || text == "" {
		return text
	}
	if s.whole[text] {
		return Mask
	}
	var spans []span
	for _, form := range s.forms {
		spans = appendSpans(spans, text, form, nil)
	}
	if strings.Contains(text, "%") {
		spans = s.appendURLSpans(spans, text, false)
	}
	if s.spaced && strings.Contains(text, "+") {
		spans = s.appendURLSpans(spans, text, true)
	}
	if len(spans) == 0 {
		return text
	}
	return mask(text, spans)
}

// appendSpans adds every place of a form in a text, those that overlap too.
// places, where it is set, gives the place of each byte in the text before.
func appendSpans(spans []span, text, form string, places []int) []span {
	for at := 0; ; {
		i := strings.Index(text[at:], form)
		if i < 0 {
			return spans
		}
		from := at + i
		found := span{from, from + len(form)}
		if places != nil {
			found = span{places[found.from], places[found.to]}
		}
		spans = append(spans, found)
		at = from + 1
	}
}

// appendURLSpans looks for the values in what the text is without URL
// encoding, so that it does not matter which characters were encoded, and
// how.
func (s *Scrubber) appendURLSpans(spans []span, text string, plus bool) []span {
	decoded, places := make([]byte, 0, len(text)), make([]int, 0, len(text)+1)
	for i := 0; i < len(text); i++ {
		places = append(places, i)
		switch {
		case text[i] == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			decoded = append(decoded, unhex(text[i+1])<<4|unhex(text[i+2]))
			i += 2
		case text[i] == '+' && plus:
			decoded = append(decoded, ' ')
		default:
			decoded = append(decoded, text[i])
		}
	}
	places = append(places, len(text))
	for plain, i := string(decoded), 0; i < len(s.exact); i++ {
		spans = appendSpans(spans, plain, s.exact[i], places)
	}
	return spans
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// mask puts one Mask in for each run of spans that touch or overlap.
func mask(text string, spans []span) string {
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var masked strings.Builder
	at := 0
	for i := 0; i < len(spans); {
		from, to := spans[i].from, spans[i].to
		for i++; i < len(spans) && spans[i].from <= to; i++ {
			to = max(to, spans[i].to)
		}
		masked.WriteString(text[at:from])
		masked.WriteString(Mask)
		at = to
	}
	masked.WriteString(text[at:])
	return masked.String()
}
