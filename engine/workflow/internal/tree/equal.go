package tree

import "math/big"

// Equal reports whether two values are equal: objects without regard to the
// order of their keys, numbers by their value. Two that are nil are equal.
func Equal(a, b *Node) bool {
	if a == nil || b == nil || a.Kind != b.Kind {
		return a == b
	}
	switch a.Kind {
	case Null:
		return true
	case Number:
		return a.Text == b.Text || sameNumber(a.Text, b.Text)
	case Array:
		if len(a.Items) != len(b.Items) {
			return false
		}
		for i := range a.Items {
			if !Equal(a.Items[i], b.Items[i]) {
				return false
			}
		}
		return true
	case Object:
		if len(a.Members) != len(b.Members) {
			return false
		}
		get := b.Finder()
		for i := range a.Members {
			if !Equal(a.Members[i].Value, get(a.Members[i].Key)) {
				return false
			}
		}
		return true
	}
	return a.Text == b.Text
}

// sameNumber compares exactly; the reader has bounded both texts.
func sameNumber(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	if !ok {
		return false
	}
	y, ok := new(big.Rat).SetString(b)
	return ok && x.Cmp(y) == 0
}
