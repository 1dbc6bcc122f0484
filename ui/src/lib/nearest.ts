// The nearest known word to a mistaken one, by the rule that the server uses
// too: at most two letters inserted, dropped, changed or swapped.

/** The known word that was probably meant, or undefined where none is close. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (!word || word.length > 100) return undefined;
  const limit = [...word].length <= 3 ? 1 : 2;
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate, least);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Letters to insert, drop, change or swap with their neighbour; bound where it can't be smaller. */
function editDistance(a: string, b: string, bound: number): number {
  const from = [...a];
  const to = [...b];
  if (Math.abs(from.length - to.length) >= bound) return bound;
  let before: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1;
      let distance = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        distance = Math.min(distance, before[j - 2]! + 1);
      }
      current.push(distance);
    }
    if (Math.min(...current) >= bound) return bound;
    before = previous;
    previous = current;
  }
  return Math.min(previous[to.length]!, bound);
}

/** The end of a sentence that names the nearest word, or a full stop. */
export function didYouMean(word: string | undefined): string {
  return word === undefined ? "." : `; did you mean “${word}”?`;
}
