package workflow

import (
	"fmt"
	"unicode/utf8"
)

// suggester finds the known word nearest to a mistaken one. Each search
// costs one comparison per known word, so it gives up after a bounded amount
// of work: a document of a hundred thousand mistakes must stay cheap.
type suggester struct {
	work int
}

const maxSuggestWork = 2_000_000

// nearest returns the known word closest to word, or "" when none is close.
func (s *suggester) nearest(word string, known func(yield func(string) bool)) string {
	if word == "" || len(word) > 100 {
		return ""
	}
	limit := 2
	if utf8.RuneCountInString(word) <= 3 {
		limit = 1
	}
	best, bestDistance := "", limit+1
	for candidate := range known {
		if s.work > maxSuggestWork {
			break
		}
		if gap := len(candidate) - len(word); gap > limit*utf8.UTFMax || -gap > limit*utf8.UTFMax {
			s.work++
			continue
		}
		s.work += len(word)
		distance := editDistance(word, candidate, bestDistance)
		if distance < bestDistance {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

// didYouMean is a sentence's end that names the nearest word, or "".
func didYouMean(nearest string) string {
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

// editDistance counts the letters to insert, drop, change or swap with
// their neighbour that make b of a. It returns bound as soon as the distance
// can't be smaller.
func editDistance(a, b string, bound int) int {
	from, to := []rune(a), []rune(b)
	if len(from)-len(to) >= bound || len(to)-len(from) >= bound {
		return bound
	}
	before, previous, current := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(from); i++ {
		current[0] = i
		least := i
		for j := 1; j <= len(to); j++ {
			cost := 1
			if from[i-1] == to[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
			least = min(least, current[j])
		}
		if least >= bound {
			return bound
		}
		before, previous, current = previous, current, before
	}
	return previous[len(to)]
}
