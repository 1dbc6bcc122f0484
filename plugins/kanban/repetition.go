package main

import (
	"cmp"
	"context"
	"hash/maphash"
	"math/bits"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vwmp/vwmp/pluginsdk"
)

type repetitionConfig struct {
	RootConfig
	MinTextLength       int     `json:"min_text_length" title:"Minimum text length" description:"Paragraphs and list items with fewer characters than this may repeat." default:"20" minimum:"1"`
	SimilarityThreshold float64 `json:"similarity_threshold" title:"Similarity" description:"From when on two texts count as nearly the same: twice their common words in order, by all their words. 1: only the same." default:"0.9" minimum:"0.5" maximum:"1"`
	CheckContradictions bool    `json:"check_contradictions" title:"Check for contradictions" description:"Also say where documents contradict each other or themselves in status and dates." default:"true"`
}

type repetition struct {
	Text     string   `json:"text" title:"Text" description:"The text, as it stands first."`
	Files    []string `json:"files" title:"Files" description:"The documents that have it."`
	Count    int      `json:"count" title:"Count" description:"How often it stands in them."`
	IsExact  bool     `json:"is_exact" title:"The same" description:"False if the texts differ a little."`
	Variants []string `json:"variants,omitempty" title:"Variants" description:"Other forms of the text, at most five."`
}

type repetitionOutput struct {
	Repetitions    []repetition    `json:"repetitions" title:"Repetitions" description:"Texts that stand in several places, those that stand in most first."`
	Contradictions []contradiction `json:"contradictions" title:"Contradictions" description:"What documents say differently."`
	LeftOut        int             `json:"left_out" title:"Left out" description:"Findings that are not listed, because there are too many."`
	FindingsFile   string          `json:"findings_file" title:"Findings" description:"The file in which the findings are kept."`
}

type repetitionChecker struct{}

func repetitionHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "kanban.check_repetition", Name: "Check repetition", Category: category, Icon: "copy",
		Description: "Names texts that stand, word for word or nearly, in several places, and what documents contradict each other in. Headings, fields, tables, code and entries with an id may repeat. The findings go to " + findingsFile + " under the keys repetitions and contradictions.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"kanban_root": "kanban", "min_text_length": 20, "similarity_threshold": 0.9}),
	}, repetitionChecker{})
}

// Plan says what is written.
func (repetitionChecker) Plan(_ context.Context, _ *pluginsdk.Step, config repetitionConfig) ([]pluginsdk.PlannedEffect, error) { //nolint:unparam // Planners may fail; looking changes nothing, so this one has nothing to fail at.
	effects := planned("repetitions")
	if config.CheckContradictions {
		effects = append(effects, planned("contradictions")...)
	}
	return effects, nil
}

// Execute compares the documents and keeps the findings.
func (repetitionChecker) Execute(ctx context.Context, step *pluginsdk.Step, config repetitionConfig) (repetitionOutput, error) {
	output := repetitionOutput{FindingsFile: findingsFile, Contradictions: []contradiction{}}
	t, err := config.read(ctx, step)
	if err != nil {
		return output, err
	}
	repetitions, err := t.repetitions(ctx, config)
	if err != nil {
		return output, err
	}
	output.Repetitions, output.LeftOut = listed(repetitions)
	step.Log.Info("looked for repetitions", "documents", len(t.documents), "repetitions", len(repetitions))
	if err := keep(ctx, step, "repetitions", output.Repetitions); err != nil || !config.CheckContradictions {
		return output, err
	}
	var more int
	contradictions := t.contradictions()
	output.Contradictions, more = listed(contradictions)
	output.LeftOut += more
	step.Log.Info("looked for contradictions", "contradictions", len(contradictions))
	return output, keep(ctx, step, "contradictions", output.Contradictions)
}

// passage is a text and where it stands.
type passage struct {
	text  string // as it stands first
	words []uint32
	// bag has a bit for each word, to tell unlike texts apart quickly.
	bag    uint64
	places []place
}

type place struct{ document, line int }

func (p place) compare(other place) int {
	return cmp.Or(p.document-other.document, p.line-other.line)
}

var link = regexp.MustCompile(`\[([^\[\]]*)\]\([^()]*\)`)

// passages are the paragraphs and list items of a document: what a person
// wrote there, without headings, fields, tables, code and entries with an id,
// which other documents have too by design.
func (d *document) passages(yield func(line int, text string)) {
	start, text := 0, []string{}
	flush := func() {
		if len(text) > 0 {
			yield(start, strings.Join(text, " "))
		}
		text = text[:0]
	}
	for i, line := range d.lines {
		trimmed := strings.TrimSpace(line)
		if !d.isText[i] || trimmed == "" || trimmed[0] == '#' || trimmed[0] == '|' {
			flush()
			continue
		}
		if _, _, ok := fieldOf(line); ok || isLabel(trimmed) {
			flush()
			continue
		}
		body := strings.TrimLeft(trimmed, "> ")
		if item, ok := listItem(body); ok {
			flush()
			body = item
			if _, _, box, isBox := boxOf(line); isBox {
				body = box
			}
			if _, hasID := idOf(body, 1); hasID {
				continue
			}
		}
		if len(text) == 0 {
			start = i
		}
		text = append(text, body)
	}
	flush()
}

// isLabel knows a line such as "**Owner:** Ada", whose value is short.
func isLabel(line string) bool {
	line = strings.TrimLeft(line, "-+> ")
	if !strings.HasPrefix(line, "**") {
		return false
	}
	colon := strings.IndexByte(line, ':')
	return colon > 0 && colon < 40 && len(line)-colon < 60
}

func listItem(line string) (item string, ok bool) {
	i := 0
	for i < len(line) && line[i] >= '0' && line[i] <= '9' {
		i++
	}
	if i >= len(line)-1 || line[i+1] != ' ' {
		return "", false
	}
	if (i > 0 && (line[i] == '.' || line[i] == ')')) || (i == 0 && strings.IndexByte("-*+", line[i]) >= 0) {
		return strings.TrimSpace(line[i+2:]), true
	}
	return "", false
}

// collect joins the passages of all documents that are the same word for word.
func (t *tree) collect(minLength int) []*passage {
	vocabulary := map[string]uint32{}
	byKey := map[string]*passage{}
	var all []*passage
	var key strings.Builder
	for i, d := range t.documents {
		d.passages(func(line int, text string) {
			if strings.Contains(text, "](") {
				text = link.ReplaceAllString(text, "$1")
			}
			if utf8.RuneCountInString(text) < minLength {
				return
			}
			key.Reset()
			for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
				key.WriteString(word)
				key.WriteByte(' ')
			}
			if utf8.RuneCountInString(key.String()) <= minLength/2 {
				// A line of signs is no text.
				return
			}
			p := byKey[key.String()]
			if p == nil {
				p = &passage{text: text}
				for word := range strings.FieldsSeq(key.String()) {
					number, ok := vocabulary[word]
					if !ok {
						number = uint32(len(vocabulary))
						vocabulary[word] = number
					}
					p.words = append(p.words, number)
					p.bag |= 1 << (number * 0x9E3779B1 >> 26)
				}
				byKey[key.String()] = p
				all = append(all, p)
			}
			p.places = append(p.places, place{i, line})
		})
	}
	return all
}

// repetitions groups passages that are the same or nearly the same.
func (t *tree) repetitions(ctx context.Context, config repetitionConfig) ([]repetition, error) {
	all := t.collect(config.MinTextLength)
	groups := newGroups(len(all))
	if config.SimilarityThreshold < 1 {
		// Texts that begin alike become neighbours.
		slices.SortFunc(all, func(a, b *passage) int { return slices.Compare(a.words, b.words) })
		if err := groups.joinSimilar(ctx, all, config.SimilarityThreshold); err != nil {
			return nil, err
		}
	}
	var found []repetition
	for _, members := range groups.members() {
		slices.SortFunc(members, func(a, b uint32) int { return all[a].places[0].compare(all[b].places[0]) })
		one := repetition{Text: cut(all[members[0]].text, 300), IsExact: len(members) == 1}
		files := map[int]bool{}
		for n, member := range members {
			one.Count += len(all[member].places)
			if n > 0 && len(one.Variants) < 5 {
				one.Variants = append(one.Variants, cut(all[member].text, 300))
			}
			for _, at := range all[member].places {
				if !files[at.document] {
					files[at.document] = true
					one.Files = append(one.Files, t.documents[at.document].file)
				}
			}
		}
		if one.Count > 1 {
			slices.Sort(one.Files)
			one.Files = one.Files[:min(len(one.Files), maxFiles)]
			found = append(found, one)
		}
	}
	slices.SortStableFunc(found, func(a, b repetition) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Files[0], b.Files[0]), strings.Compare(a.Text, b.Text))
	})
	return found, nil
}

const (
	// maxFiles bounds the files named with one repetition; the count is of
	// all.
	maxFiles = 50
	// gramSize is how many words in a row two similar texts must share. With
	// texts of five words and more it loses no pair at a threshold of 0.9.
	gramSize = 2
	// maxNeighbours bounds how many of the texts that share words in a row are
	// compared with each other. Only stretches that very many texts share have
	// more; there, those next to each other by their words are compared.
	maxNeighbours = 8
)

// gram is a stretch of words of a passage.
type gram struct {
	hash    uint64
	passage uint32
}

// groups is a union-find over passages.
type groups struct{ parent []uint32 }

func newGroups(size int) *groups {
	g := &groups{parent: make([]uint32, size)}
	for i := range g.parent {
		g.parent[i] = uint32(i)
	}
	return g
}

func (g *groups) find(i uint32) uint32 {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]]
		i = g.parent[i]
	}
	return i
}

func (g *groups) join(i, j uint32) {
	i, j = g.find(i), g.find(j)
	g.parent[max(i, j)] = min(i, j)
}

// members lists the groups by their first passage.
func (g *groups) members() [][]uint32 {
	at := map[uint32]int{}
	var all [][]uint32
	for i := range g.parent {
		root := g.find(uint32(i))
		if _, ok := at[root]; !ok {
			at[root] = len(all)
			all = append(all, nil)
		}
		all[at[root]] = append(all[at[root]], uint32(i))
	}
	return all
}

// joinSimilar joins passages that are similar enough. Two that are share
// stretches of words, so only those that do are compared; and of each
// passage's stretches only the rarest matter.
func (g *groups) joinSimilar(ctx context.Context, all []*passage, threshold float64) error {
	grams := rareGrams(all, threshold)
	for start := 0; start < len(grams); {
		if start%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		end := start + 1
		for end < len(grams) && grams[end].hash == grams[start].hash {
			end++
		}
		bucket := grams[start:end]
		for i := range bucket {
			for _, other := range bucket[i+1 : min(len(bucket), i+1+maxNeighbours)] {
				a, b := bucket[i].passage, other.passage
				if a != b && g.find(a) != g.find(b) && isSimilar(all[a], all[b], threshold) {
					g.join(a, b)
				}
			}
		}
		start = end
	}
	return nil
}

// rareGrams returns, sorted by hash, as many of each passage's rarest
// stretches as make sure that a similar passage has one of them too.
func rareGrams(all []*passage, threshold float64) []gram {
	seed := maphash.MakeSeed()
	hashOf := func(p *passage, i int) uint64 {
		return maphash.Comparable(seed, [gramSize]uint32(p.words[i:i+gramSize]))
	}
	// Stretches that share a counter only seem less rare than they are.
	counts := make([]uint32, 1<<22)
	counter := func(hash uint64) uint32 { return counts[hash&(1<<22-1)] }
	for _, p := range all {
		for i := 0; i+gramSize <= len(p.words); i++ {
			counts[hashOf(p, i)&(1<<22-1)]++
		}
	}
	var grams []gram
	var own []uint64
	for n, p := range all {
		own = own[:0]
		for i := 0; i+gramSize <= len(p.words); i++ {
			own = append(own, hashOf(p, i))
		}
		slices.SortFunc(own, func(a, b uint64) int { return cmp.Or(cmp.Compare(counter(a), counter(b)), cmp.Compare(a, b)) })
		// Two similar texts have at most so many words that only one of them
		// has; each takes part in gramSize stretches.
		edits := int(2*(1-threshold)/threshold*float64(len(p.words)) + 1e-9)
		for _, hash := range own[:min(len(own), edits*gramSize+1)] {
			if counter(hash) > 1 {
				grams = append(grams, gram{hash, uint32(n)})
			}
		}
	}
	slices.SortFunc(grams, func(a, b gram) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.passage, b.passage))
	})
	return slices.Compact(grams)
}

// isSimilar compares two texts by their longest common sequence of words.
func isSimilar(a, b *passage, threshold float64) bool {
	shorter, longer := a.words, b.words
	if len(shorter) > len(longer) {
		shorter, longer = longer, shorter
	}
	sum := float64(len(a.words) + len(b.words))
	allowed := sum * (1 - threshold) // words that only one of them has
	if float64(len(longer)-len(shorter)) > allowed+1e-9 || float64(bits.OnesCount64(a.bag^b.bag)) > allowed+1e-9 {
		return false
	}
	var small [2][65]uint16
	before, now := small[0][:], small[1][:]
	if len(shorter) > 64 {
		before, now = make([]uint16, len(shorter)+1), make([]uint16, len(shorter)+1)
	}
	for _, word := range longer {
		for i, other := range shorter {
			if word == other {
				now[i+1] = before[i] + 1
			} else {
				now[i+1] = max(now[i], before[i+1])
			}
		}
		before, now = now, before
	}
	return 2*float64(before[len(shorter)]) >= threshold*sum-1e-9
}
