package workflow

import (
	"fmt"
	"math/bits"
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

// Cron is a cron expression of five fields. Each field is a set of numbers,
// as bits: bit 5 of Minutes is minute 5, bit 0 of Weekdays is Sunday.
type Cron struct {
	Minutes, Hours, Days, Months, Weekdays uint64
	// EveryDay and EveryWeekday tell that the field is "*". Where neither
	// is, a day that is in one of the two fires.
	EveryDay, EveryWeekday bool
	// FixedHours: the field of hours has neither a wildcard nor a step, so
	// that an hour which a clock change skips or doubles counts once.
	FixedHours bool
}

// ParseCron reads a cron expression of five fields, and refuses one whose day
// never comes, such as the 31st of February. The error reads on after the
// word "cron".
func ParseCron(text string) (Cron, error) {
	fields := strings.Fields(text)
	if len(text) > 200 {
		return Cron{}, fmt.Errorf("has more than 200 characters")
	}
	if len(fields) != len(cronFields) {
		return Cron{}, fmt.Errorf("has %d %s", len(fields), plural(len(fields), "field", "fields"))
	}
	var sets [5]uint64
	for i, field := range fields {
		values, err := cronFields[i].parse(field)
		if err != nil {
			return Cron{}, err
		}
		for _, value := range values {
			sets[i] |= 1 << value
		}
	}
	const sunday, alsoSunday = 1 << 0, 1 << 7
	if sets[4]&alsoSunday != 0 {
		sets[4] = sets[4]&^alsoSunday | sunday
	}
	cron := Cron{
		Minutes: sets[0], Hours: sets[1], Days: sets[2], Months: sets[3], Weekdays: sets[4],
		EveryDay: fields[2] == "*", EveryWeekday: fields[4] == "*", FixedHours: !strings.ContainsAny(fields[1], "*/"),
	}
	if !cron.comes() {
		return Cron{}, fmt.Errorf("names a day that no such month has, so it would never fire")
	}
	return cron, nil
}

// comes reports whether a month of the expression has one of its days.
func (c *Cron) comes() bool {
	if c.EveryDay || !c.EveryWeekday {
		// With both days restricted, either of them fires.
		return true
	}
	longest := [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	firstDay := bits.TrailingZeros64(c.Days)
	for month := 1; month <= 12; month++ {
		if c.Months&(1<<month) != 0 && firstDay <= longest[month] {
			return true
		}
	}
	return false
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
