package workflow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// cronField is one of the five fields of a cron expression.
type cronField struct {
	name        string
	least, most int
	words       []string
}

var cronFields = [5]cronField{
	{name: "minute", least: 0, most: 59},
	{name: "hour", least: 0, most: 23},
	{name: "day of month", least: 1, most: 31},
	{name: "month", least: 1, most: 12, words: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of week", least: 0, most: 7, words: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// checkCron judges the form of a cron expression of five fields, and refuses
// one whose day never comes, such as the 31st of February. The error reads
// on after the word "cron".
func checkCron(text string) error {
	fields := strings.Fields(text)
	if len(text) > 200 {
		return fmt.Errorf("has more than 200 characters")
	}
	if len(fields) != len(cronFields) {
		return fmt.Errorf("has %d %s", len(fields), plural(len(fields), "field", "fields"))
	}
	var sets [5][]int
	for i, field := range fields {
		values, err := cronFields[i].parse(field)
		if err != nil {
			return err
		}
		sets[i] = values
	}
	if fields[2] == "*" || fields[4] != "*" {
		// With both days restricted, either of them fires.
		return nil
	}
	longest := [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	firstDay := slices.Min(sets[2])
	for _, month := range sets[3] {
		if firstDay <= longest[month] {
			return nil
		}
	}
	return fmt.Errorf("names a day that no such month has, so it would never fire")
}

// parse returns the values that a field stands for.
func (f *cronField) parse(text string) ([]int, error) {
	var values []int
	for part := range strings.SplitSeq(text, ",") {
		body, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			parsed, err := strconv.Atoi(stepText)
			if err != nil || parsed < 1 || parsed > f.most {
				return nil, fmt.Errorf("has the step %q in its field %s, which is not a number from 1 to %d", stepText, f.name, f.most)
			}
			step = parsed
		}
		from, to := f.least, f.most
		if body != "*" {
			first, last, isRange := strings.Cut(body, "-")
			var err error
			if from, err = f.value(first); err != nil {
				return nil, err
			}
			switch {
			case isRange:
				if to, err = f.value(last); err != nil {
					return nil, err
				}
			case !stepped:
				to = from
			}
		}
		if from > to {
			return nil, fmt.Errorf("has the range %q in its field %s, which runs backwards", body, f.name)
		}
		for value := from; value <= to; value += step {
			values = append(values, value)
		}
	}
	return values, nil
}

func (f *cronField) value(text string) (int, error) {
	if i := slices.Index(f.words, strings.ToLower(text)); i >= 0 {
		return i + f.least, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < f.least || value > f.most || text[0] == '+' || text[0] == '-' {
		return 0, fmt.Errorf("has %q in its field %s, which is not a number from %d to %d", clip(text, 40), f.name, f.least, f.most)
	}
	return value, nil
}

// globProblem says what is wrong with a file pattern, or "".
func globProblem(pattern string) string {
	switch {
	case strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "~"):
		return "is not relative to the workspace"
	case strings.ContainsRune(pattern, '\\'):
		return `holds a backslash; separate folders with "/"`
	}
	for part := range strings.SplitSeq(pattern, "/") {
		if part == ".." {
			return `leads out of the workspace with ".."`
		}
	}
	if !balanced(pattern, '[', ']') || !balanced(pattern, '{', '}') {
		return "has a bracket that is not closed"
	}
	return ""
}

func balanced(text string, open, closing rune) bool {
	depth := 0
	for _, char := range text {
		switch char {
		case open:
			depth++
		case closing:
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}
